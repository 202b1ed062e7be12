"""`lens serve` as a process (server, page, watcher, indexer), over a folder that it follows.

Covers: app, page, watcher, pipeline.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lambdas.local.pipeline import Pipeline
from lens.default_model.shipped import shipped_manifest
from lens.pipeline.promote import promote
from lens.settings import Settings
from tests.lambdas.local.photos import garment, write_photos
from tests.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.slow

FRESH_SECONDS = 2.0


class Shop:
    """A running server over a folder."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.http = httpx.Client(base_url=address, timeout=30)

    def first(self, photo: bytes) -> str | None:
        """The key of the best hit that is (nearly) this very photo."""
        reply = self.http.post("/api/search-image", files={"file": photo}, data={"top_k": "1"})
        hits = reply.raise_for_status().json()["hits"]
        return hits[0]["key"] if hits and hits[0]["similarity"] > 0.9999 else None

    def gallery(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("/api/health").json()["gallery"]
        return found

    def until(self, seconds: float, reached: Callable[[], bool]) -> float:
        """Seconds until it is so; fails after `seconds`."""
        began = time.monotonic()
        while not reached():
            assert time.monotonic() - began < seconds, "it took too long"
            time.sleep(0.05)
        return time.monotonic() - began


@contextmanager
def serving(folder: Path) -> Iterator[Shop]:
    process = subprocess.Popen(
        [sys.executable, "-m", "lambdas.local.cli", "serve", str(folder)],
        env={**os.environ, "LENS_PORT": "0", "LENS_ARTIFACTS": str(folder.parent / "artifacts")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        shop = Shop(folder, found[0])
        with shop.http:
            yield shop
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("server") / "photos"
    write_photos(folder, range(30))
    (folder / "secret.txt").write_text("not for visitors")
    with serving(folder) as shop:
        shop.until(60, lambda: (shop.gallery() or {}).get("photos") == 30)
        yield shop


def test_the_page_and_a_hits_pictures_are_served(shop: Shop) -> None:
    assert "<title>Image Lens" in shop.http.get("/").text
    reply = shop.http.post("/api/search-image", files={"file": garment(3)}).json()
    hit = reply["hits"][0]
    assert hit["key"] == "shop/item-003/0.png"
    assert shop.http.get(hit["image_url"]).content == garment(3)
    assert shop.http.get(hit["thumb_url"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("path", ["secret.txt", "../photos/secret.txt", "nothing.png", ""])
def test_only_the_gallerys_photos_are_served(shop: Shop, path: str) -> None:
    assert shop.http.get(f"/catalog/{path}").status_code == 404


def test_a_photo_that_a_caller_has_is_not_sent_again(shop: Shop) -> None:
    address = "/catalog/shop/item-003/0.png"
    reply = shop.http.get(address)
    assert reply.headers["x-content-type-options"] == "nosniff"
    again = shop.http.get(address, headers={"If-None-Match": f'"other", {reply.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == reply.headers["etag"]
    head = shop.http.request("HEAD", address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == reply.headers["content-length"]
    refused = shop.http.post("/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.json()["error"]["code"] == "method_not_allowed"


def test_a_photo_added_replaced_and_removed_shows_within_two_seconds(shop: Shop) -> None:
    path = shop.folder / "new" / "photo.png"
    path.parent.mkdir()
    path.write_bytes(garment(200))
    shop.until(FRESH_SECONDS, lambda: shop.first(garment(200)) == "new/photo.png")
    path.write_bytes(garment(201))
    shop.until(FRESH_SECONDS, lambda: shop.first(garment(201)) == "new/photo.png")
    assert shop.first(garment(200)) is None
    path.unlink()
    shop.until(FRESH_SECONDS, lambda: shop.first(garment(201)) is None)


def test_a_folder_moved_in_and_out_is_followed(shop: Shop) -> None:
    outside = shop.folder.parent / "outside"
    write_photos(outside, range(300, 303))
    (outside / "shop").rename(shop.folder / "moved")
    shop.until(3, lambda: shop.first(garment(301)) == "moved/item-301/0.png")
    (shop.folder / "moved").rename(outside / "back")
    shop.until(3, lambda: shop.first(garment(301)) is None)


def test_what_lensignore_names_is_taken_out_and_comes_back(shop: Shop) -> None:
    photo = (shop.folder / "shop/item-001/0.png").read_bytes()
    ignore = shop.folder / ".lensignore"
    before = shop.gallery()["photos"]
    ignore.write_text("item-001/\n")
    shop.until(10, lambda: shop.gallery()["photos"] < before)
    assert shop.first(photo) is None
    ignore.unlink()
    shop.until(10, lambda: shop.gallery()["photos"] == before)
    assert shop.first(photo) == "shop/item-001/0.png"


def test_a_burst_of_files_is_a_few_commits(shop: Shop) -> None:
    before = shop.gallery()
    for number in range(200):
        (shop.folder / f"burst-{number}.png").write_bytes(garment(1000 + number))
    shop.until(30, lambda: shop.gallery()["photos"] == before["photos"] + 200)
    # Each commit may be followed by one compaction, which is a commit too.
    assert shop.gallery()["commit"] - before["commit"] <= 10
    for number in range(60):
        (shop.folder / f"burst-{number}.png").unlink()
    shop.until(10, lambda: shop.gallery()["photos"] == before["photos"] + 140)


def test_a_file_that_is_still_being_written_ends_up_whole(shop: Shop) -> None:
    photo = garment(400)
    with (shop.folder / "slow.png").open("wb") as file:
        for start in range(0, len(photo), 1 + len(photo) // 4):
            file.write(photo[start : start + 1 + len(photo) // 4])
            file.flush()
            time.sleep(0.3)
    shop.until(FRESH_SECONDS, lambda: shop.first(photo) == "slow.png")


def test_a_drive_that_goes_while_it_serves_is_held_and_its_return_costs_nothing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, range(6))
    with serving(folder) as shop:
        shop.until(60, lambda: (shop.gallery() or {}).get("photos") == 6)
        (folder / "shop").rename(tmp_path / "away")
        shop.until(10, lambda: shop.gallery()["held"] == 6)
        assert shop.gallery()["photos"] == 6
        assert "lens_photos_held 6.0" in shop.http.get("/metrics").text
        commit = shop.gallery()["commit"]
        (tmp_path / "away").rename(folder / "shop")
        shop.until(10, lambda: shop.gallery()["held"] == 0)
        assert (shop.gallery()["photos"], shop.gallery()["commit"]) == (6, commit)


def test_one_photo_goes_at_once_and_all_of_them_are_held(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, range(5))
    with serving(folder) as shop:
        shop.until(60, lambda: (shop.gallery() or {}).get("photos") == 5)
        photos = sorted(folder.rglob("*.png"))
        photos[0].unlink()
        shop.until(FRESH_SECONDS, lambda: shop.gallery()["photos"] == 4)
        for path in photos[1:]:
            path.unlink()
        shop.until(10, lambda: shop.gallery()["held"] == shop.gallery()["photos"] > 0)


def test_what_changed_while_it_was_off_is_found_at_start(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, range(5))
    with serving(folder) as shop:
        shop.until(60, lambda: (shop.gallery() or {}).get("photos") == 5)
    (folder / "shop/item-001/0.png").unlink()
    (folder / "shop/item-002/0.png").write_bytes(garment(500))
    (folder / "more.png").write_bytes(garment(501))
    began = time.monotonic()
    with serving(folder) as shop:
        shop.until(10, lambda: shop.first(garment(501)) == "more.png")
        assert shop.first(garment(500)) == "shop/item-002/0.png"
        assert shop.first(garment(1)) is None
        assert time.monotonic() - began < 10


def test_photos_are_found_while_a_first_indexing_still_runs(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, range(400))
    with serving(folder) as shop:
        shop.until(30, lambda: shop.first(garment(0)) == "shop/item-000/0.png")
        assert shop.gallery()["photos"] < 400
        shop.until(60, lambda: shop.first(garment(399)) == "shop/item-399/0.png")


def test_a_new_server_says_that_it_is_listing_before_it_knows_how_much_there_is(
    tmp_path: Path,
) -> None:
    write_photos(tmp_path / "photos", range(3))
    with serving(tmp_path / "photos") as shop:
        health = shop.http.get("/api/health").json()
        assert health["gallery"] is None
        assert health["indexing"] == {
            "state": "listing",
            "done": 0,
            "total": 0,
            "seconds_left": None,
        }
        shop.until(60, lambda: (shop.gallery() or {}).get("photos") == 3)
        shop.until(60, lambda: shop.http.get("/api/health").json()["indexing"] is None)


def test_an_earlier_default_model_answers_until_the_new_one_does(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write_photos(folder, range(200))
    pipeline = Pipeline(Settings(catalog=str(folder), artifacts=str(tmp_path / "artifacts")))
    earlier = write_tiny_model(pipeline.artifacts, kind="pca").model_id
    promote(pipeline.artifacts, pipeline.catalog, earlier, pipeline.look)
    answered = []

    def renewed(shop: Shop) -> bool:
        assert shop.first(garment(7)) == "shop/item-007/0.png"
        answered.append(shop.http.get("/api/health").json()["model_id"])
        return bool(answered[-1] == shipped_manifest().model_id)

    with serving(folder) as shop:
        assert not renewed(shop)
        (folder / "late.png").write_bytes(garment(900))  # it need not wait for the new model
        shop.until(10, lambda: shop.first(garment(900)) == "late.png")
        shop.until(60, lambda: renewed(shop))
    assert set(answered) == {earlier, shipped_manifest().model_id}


def test_another_sites_name_does_not_lead_here(shop: Shop) -> None:
    for path in ("/", "/api/health", "/catalog/shop/item-003/0.png"):
        reply = shop.http.get(path, headers={"Host": "evil.example"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (421, "wrong_host")


def test_an_address_that_is_open_to_others_is_refused_in_one_line(shop: Shop) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "lambdas.local.cli", "serve", str(shop.folder)],
        env={**os.environ, "LENS_HOST": "0.0.0.0", "LENS_PORT": "0"},
        cwd=shop.folder.parent,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("lens: LENS_HOST='0.0.0.0' lets other machines in: set LENS_")
    assert result.stderr.count("\n") == 1


def test_a_taken_port_is_one_line(shop: Shop) -> None:
    taken = shop.http.base_url.port
    result = subprocess.run(
        [sys.executable, "-m", "lambdas.local.cli", "serve", str(shop.folder)],
        env={**os.environ, "LENS_PORT": str(taken)},
        cwd=shop.folder.parent,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 2
    assert result.stderr == f"lens: port {taken} is taken; set LENS_PORT to another one\n"

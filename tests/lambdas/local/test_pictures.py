"""Pictures of a product file under `lens serve` and `lens index`, from a real https server.

The commands run as processes, which are told to reach that server on this machine; all else is as
for a shop. What it takes: `pytest -s` prints the seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lambdas.local.pictures import LocalPictures
from lambdas.local.pipeline import Pipeline
from lambdas.local.server import app
from lens.fetching import fetch
from lens.pipeline.promote import promote
from lens.search.searcher import Searcher
from lens.settings import Settings
from lens.storage.formats import announce_format
from tests.lambdas.local.photos import garment
from tests.support.https_server import PictureShop, picture_shop
from tests.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.slow

_SECONDS = 120.0
_PROGRAM = """
import ssl, sys
from lens.fetching import fetch
from lens.pipeline.pictures import report_pictures
from tests.support.https_server import local_fetcher

port, certificate = int(sys.argv.pop(1)), sys.argv.pop(1)
tls = ssl.create_default_context(cafile=certificate)
report_pictures.__defaults__ = ((443, port),)
fetch.Fetcher = lambda most, seconds, **_: local_fetcher(port, tls, most, seconds)
from lambdas.local.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PictureShop]:
    with picture_shop(tmp_path) as shop:
        yield shop


def _command(shop: PictureShop, root: Path, *arguments: str, **settings: str) -> list[Any]:
    variables = {
        **os.environ,
        "LENS_PORT": "0",
        "LENS_ARTIFACTS": str(root / "made"),
        "LENS_FEED_PICTURES": "1",
        **settings,
    }
    program = [sys.executable, "-c", _PROGRAM, str(shop.port), str(root / "shop.pem")]
    return [[*program, *arguments], variables]


def _run(
    shop: PictureShop, root: Path, *arguments: str, fails: bool = False, **settings: str
) -> str:
    words, variables = _command(shop, root, *arguments, **settings)
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == fails, done.stderr
    return done.stderr if fails else done.stdout


@contextmanager
def _serving(shop: PictureShop, root: Path) -> Iterator[tuple[httpx.Client, Any]]:
    words, variables = _command(shop, root, "serve", str(root / "photos"))
    process = subprocess.Popen(words, env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().rpartition(" ")[2].strip()
        with httpx.Client(base_url=address, timeout=30) as client:
            yield client, process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _until(what: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < _SECONDS, "it never came"
        time.sleep(0.05)
    return time.monotonic() - began


def _kept(root: Path) -> int:
    """How many pictures were fetched and kept."""
    return len(list((root / "made" / "pictures").rglob("*.png")))


def _photos(client: httpx.Client) -> int:
    gallery = client.get("/api/health").json()["gallery"]
    return int(gallery["photos"]) if gallery else 0


def _feed(root: Path, shop: PictureShop, numbers: range) -> None:
    """A product for each number, and its picture on the server; there are no photos."""
    (root / "photos").mkdir(exist_ok=True)
    rows = [f"SKU-{n},Dress {n},{n}.00 EUR,{shop.address}/{n}.jpg" for n in numbers]
    shop.pictures |= {f"/{n}.jpg": garment(n) for n in numbers}
    text = "\n".join(["id,title,price,image_link", *rows])
    (root / "photos" / "products.csv").write_text(text + "\n")


def test_a_shop_with_nothing_but_a_product_file_is_found_and_followed(
    tmp_path: Path, shop: PictureShop
) -> None:
    _feed(tmp_path, shop, range(12))
    with _serving(shop, tmp_path) as (client, _):
        print(f"to the first picture: {_until(lambda: _photos(client) > 0):.1f} s")
        print(f"to all twelve: {_until(lambda: _photos(client) == 12):.1f} s more")
        reply = client.post("/api/search-image", files={"file": garment(3)}).json()
        hit = reply["hits"][0]
        assert hit["product"]["id"] == "SKU-3" and hit["item_id"] == "SKU-3"
        assert client.get(hit["image_url"]).content == garment(3)
        assert client.get(hit["thumb_url"]).headers["content-type"] == "image/jpeg"
        assert client.get("/catalog/fetching.json").status_code == 404
        _feed(tmp_path, shop, range(1, 14))
        print(f"to an edit: {_until(lambda: _photos(client) == 13):.1f} s")
        reply = client.post("/api/search-image", files={"file": garment(13)}).json()
        assert reply["hits"][0]["product"]["id"] == "SKU-13"
        reply = client.post("/api/search-image", files={"file": garment(0)}).json()
        assert "SKU-0" not in [each["item_id"] for each in reply["hits"]]
    assert len(shop.asked) == len(set(shop.asked)) == 14
    assert sorted(path.name for path in (tmp_path / "photos").iterdir()) == ["products.csv"]


def test_health_says_what_is_under_way_and_a_killed_server_goes_on(
    tmp_path: Path, shop: PictureShop
) -> None:
    _feed(tmp_path, shop, range(24))
    shop.seconds = 0.5
    with _serving(shop, tmp_path) as (client, process):

        def underway() -> dict[str, Any]:
            return client.get("/api/health").json()["fetching"] or {}

        _until(lambda: 8 <= underway().get("done", 0) < 24)
        assert underway()["total"] == 24
        process.kill()
    asked, kept = len(shop.asked), _kept(tmp_path)
    assert 8 <= kept <= asked < 24
    shop.seconds = 0.0
    with _serving(shop, tmp_path) as (client, _):
        _until(lambda: _photos(client) == 24)
    # What was kept is not asked for again; what was under way when it was killed is, once.
    assert len(shop.asked) == asked + 24 - kept


def test_lens_index_fetches_and_lens_status_names_what_it_could_not(
    tmp_path: Path, shop: PictureShop
) -> None:
    _feed(tmp_path, shop, range(4))
    del shop.pictures["/2.jpg"]
    photos = str(tmp_path / "photos")
    out = _run(shop, tmp_path, "index", photos)
    assert "3 pictures fetched" in out
    assert "gallery    3 photos" in out
    assert "pictures   3 of 4 are fetched\n" in out
    assert f"SKU-2: {shop.address}/2.jpg cannot be fetched (the address answers 404" in out
    assert "0 pictures fetched" in _run(shop, tmp_path, "index", photos)
    refused = _run(shop, tmp_path, "index", photos, fails=True, LENS_FEED_PICTURES="0")
    assert "LENS_FEED_PICTURES=1 fetches those of the product file" in refused
    (tmp_path / "photos" / "own.png").write_bytes(garment(90))
    off = _run(shop, tmp_path, "index", photos, LENS_FEED_PICTURES="0")
    assert "gallery    1 photos" in off
    assert "4 products without a photo name pictures by address: LENS_FEED_PICTURES=1" in off


def test_a_long_run_makes_room_for_a_product_file_that_has_changed(
    tmp_path: Path, shop: PictureShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "Fetcher", lambda *_, **__: shop.fetcher)
    monkeypatch.setattr(app, "_FETCH_SECONDS", 0.0)
    _feed(tmp_path, shop, range(60))
    settings = Settings(
        catalog=str(tmp_path / "photos"), artifacts=str(tmp_path / "made"), feed_pictures=True
    )
    pipeline = Pipeline(settings)
    announce_format(pipeline.artifacts, 0.0)
    model_id = write_tiny_model(pipeline.artifacts).model_id
    promote(pipeline.artifacts, pipeline.catalog, model_id, pipeline.look)
    stop = threading.Event()
    fetcher = app._Fetcher(LocalPictures(pipeline), Searcher(pipeline.artifacts), stop)
    thread = threading.Thread(target=fetcher.run)
    thread.start()
    try:
        fetcher.wake()
        _until(lambda: len(shop.asked) > 5)
        _feed(tmp_path, shop, range(100, 110))
        pipeline.reconcile()
        fetcher.wake()
        _until(lambda: {f"/{n}.jpg" for n in range(100, 110)} <= set(shop.asked))
    finally:
        stop.set()
        fetcher.wake()
        thread.join()
    assert len(shop.asked) < 60

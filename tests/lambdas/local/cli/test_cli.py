"""The `lens` command (cli, commands, reports) as a person uses it, mistakes included.

Covers: arguments, commands, reports, progress, targets.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lambdas.local.cli import main
from lambdas.local.cli.targets import local_settings
from tests.lambdas.local.photos import garment, write_photos


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("LENS_") and name != "LENS_REQUIRE_STOREFRONT":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    capsys.readouterr()
    assert main(["status", "photos", "--json", *arguments]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_index_then_search_finds_the_item(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(12), views=2)
    assert main(["index", "photos"]) == 0
    assert "24 photos, commit 2" in capsys.readouterr().out
    Path("query.png").write_bytes(garment(5, view=9))
    assert main(["search", "query.png", "photos", "--top-k", "2", "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert [hit["item_id"] for hit in hits] == ["shop/item-005"] * 2
    assert main(["search", "query.png", "photos", "--category", "shop"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "shop/item" in line]) == 12
    assert lines[0].startswith(("searched   ", "match      "))
    assert main(["search", "query.png", "photos", "--region", "0,0,1,0.5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["region"] == [0, 0, 1, 0.5]


def test_several_photos_and_examples_are_searched_as_one(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(8), views=2)
    assert main(["index", "photos"]) == 0
    for view in (8, 9):
        Path(f"{view}.png").write_bytes(garment(5, view=view))
    capsys.readouterr()
    asked = ["search", "8.png", "photos", "--also", "9.png", "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert [hit["item_id"] for hit in found["hits"][:2]] == ["shop/item-005"] * 2
    assert found["match"] is None
    assert main([*asked, "--unlike", "shop/item-005", "--like", "shop/item-003"]) == 0
    items = {hit["item_id"] for hit in json.loads(capsys.readouterr().out)["hits"]}
    assert items == {f"shop/item-00{number}" for number in (0, 1, 2, 4, 6, 7)}
    assert main([*asked, "--like", "no such"]) == 1
    assert "the id 'no such'" in capsys.readouterr().err
    for wrong, told in (
        (["--also", "none.png"], "cannot read none.png"),
        (["--region", "whole"], "--region: it is for one photo"),
        (["--also", "9.png"] * 4, "--also: at most 5 photos"),
        (["--like", "a", "--unlike", "a"], "unlike: 'a' is in like too"),
    ):
        assert main([*asked, *wrong]) == 2
        assert told in capsys.readouterr().err


def test_a_search_keeps_to_what_a_filter_leaves(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(6))
    assert main(["index", "photos"]) == 0
    Path("query.png").write_bytes(garment(5, view=9))
    ask = ["search", "query.png", "photos", "--json", "--filter"]
    assert main([*ask, "price<3"]) == 2
    assert "there is no product file to filter by" in capsys.readouterr().err
    lines = [f"item-{n:03},{n}.00 EUR" for n in range(6)]
    Path("photos/products.csv").write_text("\n".join(["id,price", *lines]))
    assert main(["index", "photos"]) == 0
    capsys.readouterr()
    assert main([*ask, "price<3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {hit["item_id"] for hit in found["hits"]} == {f"shop/item-{n:03}" for n in range(3)}
    assert "cursor" not in found


def test_nothing_is_written_into_the_photos_folder(working_folder: Path) -> None:
    write_photos(Path("photos"), range(4))
    before = sorted(Path("photos").rglob("*"))
    assert main(["index", "photos"]) == 0
    assert sorted(Path("photos").rglob("*")) == before


def test_a_second_index_looks_only_at_what_changed(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(6))
    assert main(["index", "photos"]) == 0
    Path("photos/shop/item-002/0.png").unlink()
    Path("photos/shop/item-003/0.png").write_bytes(garment(77))
    Path("photos/new.png").write_bytes(garment(78))
    capsys.readouterr()
    assert main(["index", "photos"]) == 0
    assert capsys.readouterr().out.startswith("3 photos looked at")
    assert status(capsys)["photos"] == 6


def test_a_photo_that_cannot_be_used_is_shown_with_its_reason(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(2))
    Path("photos/broken.jpg").write_bytes(garment(1)[:60])
    Path("photos/notes.txt").write_text("not a photo")
    assert main(["index", "photos"]) == 0
    out = capsys.readouterr().out
    assert "2 photos, commit 1, 1 photos rejected, 1 other files" in out
    assert "rejected   broken.jpg: the photo is truncated" in out


def test_rollback_holds_searches_and_release_ends_it(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(3))
    Path("query.png").write_bytes(garment(50))
    assert main(["index", "photos"]) == 0
    Path("photos/late.png").write_bytes(garment(50))
    assert main(["index", "photos"]) == 0

    def found() -> bool:
        capsys.readouterr()
        assert main(["search", "query.png", "photos"]) == 0
        return "late.png" in capsys.readouterr().out

    assert found()
    assert main(["rollback", "photos"]) == 0
    assert not found()
    model_id = str(status(capsys)["model_id"])
    assert main(["promote", model_id, "photos"]) == 2
    assert "run `lens release` first" in capsys.readouterr().err
    assert main(["release", "photos"]) == 0
    assert found()
    assert main(["release", "photos"]) == 2
    assert "nothing is pinned" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["index"], 2, "name a folder of photos, or set LENS_CATALOG"),
        (["index", "nowhere"], 2, "there is no folder nowhere"),
        (["index", "empty"], 2, "no photos (JPEG, PNG, WebP, AVIF or HEIC) in empty"),
        (["index", "ftp://shop/photos"], 2, "is not a location"),
        (["search", "nowhere.jpg", "empty"], 2, "cannot read nowhere.jpg: No such file"),
        (["search", "notes.txt", "empty"], 1, "this is not a photo"),
        (["search", "notes.txt", "empty", "--region", "half"], 2, "--region: send four numbers"),
        (["search", "notes.txt", "empty", "--filter", "size<M"], 2, "--filter: size has no order"),
        (["rollback", "empty"], 1, "run `lens index` first"),
        (["promote", "model-x", "empty"], 1, "there is no model 'model-x'; there are: none"),
    ],
)
def test_every_failure_is_one_line_that_says_what_to_do(
    arguments: list[str],
    code: int,
    message: str,
    working_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("empty").mkdir()
    Path("notes.txt").write_text("not a photo")
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert error.startswith("lens: ") and error.count("\n") == 1
    assert message in error


@pytest.mark.parametrize(
    "arguments", [[], ["frobnicate"], ["search", "a", "--top-k", "0"], ["index", "--fast"]]
)
def test_a_wrong_command_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_bad_setting_is_named(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("photos").mkdir()
    monkeypatch.setenv("LENS_THREADS", "several")
    assert main(["index", "photos"]) == 2
    assert capsys.readouterr().err.startswith("lens: LENS_THREADS='several': ")


def test_a_reader_that_stops_reading_is_no_failure(working_folder: Path) -> None:
    write_photos(Path("photos"), range(2))
    result = subprocess.run(
        f"set -o pipefail; {sys.executable} -m lambdas.local.cli index photos | true",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.slow
def test_an_index_that_is_killed_goes_on_where_it_was(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(250), views=3)
    command = [sys.executable, "-m", "lambdas.local.cli", "index", "photos"]
    environment = {**os.environ, "LENS_ARTIFACTS": str(working_folder / "artifacts")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    segments = working_folder / "artifacts" / "segments"
    deadline = time.monotonic() + 60
    while len(list(segments.rglob("*.npz"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    looked = int(finished.stdout.split()[0])
    assert 0 < looked <= 750 - 8 - 16, "what two whole segments held was embedded again"
    assert "gallery    750 photos" in finished.stdout


def test_a_variable_that_is_no_setting_is_told_and_not_only_without_effect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    local_settings({"LENS_CURRENCY": "EUR"}, str(tmp_path))
    assert "LENS_CURRENCY is no setting; did you mean LENS_SHOP_CURRENCY?" in caplog.text

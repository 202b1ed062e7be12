"""Releases side by side: the previous one and this one on the same artifacts, in both orders.

The previous release is this repository at an earlier commit, run as it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tarfile import TarFile
from typing import Any

import pytest

from lens.default_model.shipped import shipped_manifest
from lens.storage.formats import KEY, NEWEST
from tests.lambdas.local.photos import garment, write_photos
from tests.support.unpacking import unpack

# The last commit of the release before; raised when a release is made.
PREVIOUS = "0cfb2b01c8d5077e2e9ac5b9cec01c2d8fdf66e5"
PHOTOS = 300  # more than a tail holds, so there is a snapshot
_ROOT = Path(__file__).parents[1]
_MAIN = "import sys; from lambdas.local.cli import main; sys.exit(main(sys.argv[1:]))"

pytestmark = pytest.mark.slow
Lens = Callable[..., str]


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The previous release's code."""
    archive = subprocess.run(
        ["git", "archive", PREVIOUS, "layers/lens", "lambdas", "frontend"],
        cwd=_ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode != 0:
        pytest.skip(f"this checkout lacks the history back to {PREVIOUS[:7]}")
    folder = tmp_path_factory.mktemp("previous")
    unpack(TarFile.open(fileobj=BytesIO(archive.stdout)), folder)
    return folder


def _lens(tree: Path, folder: Path) -> Lens:
    """The `lens` command of a tree, run in a folder: what it printed."""
    paths = [str(tree / "layers/lens/python"), str(tree)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "LENS_ARTIFACTS": "made"}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", _MAIN, *arguments]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _search(lens: Lens, photo: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(lens("search", photo, "photos", "--json"))["hits"]
    for hit in found:
        for new in ("match", "face"):  # the previous release does not say them
            hit.pop(new, None)
    return found


def _model(lens: Lens) -> str:
    return str(json.loads(lens("status", "photos", "--json"))["model_id"])


def _photos(lens: Lens) -> int:
    return int(json.loads(lens("status", "photos", "--json"))["photos"])


@pytest.mark.parametrize("first", ["previous", "this"])
def test_two_releases_work_on_one_gallery_by_turns(
    previous: Path, tmp_path: Path, first: str
) -> None:
    trees = [previous, _ROOT] if first == "previous" else [_ROOT, previous]
    one, other = (_lens(tree, tmp_path) for tree in trees)
    photos = tmp_path / "photos"
    if first == "this":
        # Where an earlier release has been, this one writes what that reads until its format
        # settles; artifacts of its own it begins with what no earlier release can read.
        (tmp_path / "made").mkdir()
        announced = {"newest": NEWEST, "at": time.time(), "began": NEWEST - 1}
        (tmp_path / "made" / KEY).write_text(json.dumps(announced))
    write_photos(photos, range(PHOTOS))
    (tmp_path / "query.png").write_bytes(garment(7))
    (tmp_path / "added.png").write_bytes(garment(PHOTOS))

    one("index", "photos")
    assert list((tmp_path / "made/snapshots").rglob("vectors.npy"))
    assert _photos(other) == PHOTOS
    assert _search(other, "query.png") == _search(one, "query.png")
    if first == "previous":
        # This release's default model takes the earlier one's place; the previous one serves it.
        before = _model(one)
        assert other("index", "photos").startswith("0 photos")
        assert _model(one) == shipped_manifest().model_id != before
        assert _photos(one) == PHOTOS
        assert _search(one, "query.png") == _search(other, "query.png")

    # The other one writes: segments, commits, current.json.
    (photos / "shop/item-007/0.png").unlink()
    write_photos(photos, range(PHOTOS, PHOTOS + 1))
    other("index", "photos")
    assert _photos(one) == PHOTOS
    assert _search(one, "added.png")[0]["item_id"] == f"shop/item-{PHOTOS:03d}"
    assert "shop/item-007" not in {hit["item_id"] for hit in _search(one, "query.png")}

    # A pin of one holds the other's searches, a deletion passes through it, and it can be ended.
    other("rollback", "photos")
    assert "shop/item-007" not in {hit["item_id"] for hit in _search(one, "query.png")}
    assert _search(one, "added.png")[0]["item_id"] != f"shop/item-{PHOTOS:03d}"
    one("release", "photos")
    assert _search(other, "added.png")[0]["item_id"] == f"shop/item-{PHOTOS:03d}"

    # Either takes up what the other left, and nothing is looked at twice.
    assert one("index", "photos").startswith("0 photos")
    assert other("index", "photos").startswith("0 photos")

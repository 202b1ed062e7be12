"""Snapshots and their mapped_arrays: mapped in place or copied, checked, usable once removed."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from lens.errors import ArtifactError, NotFoundError
from lens.gallery.gallery import Gallery
from lens.pipeline.compact import fold
from lens.storage import FileStorage, Storage, open_storage
from tests.support.s3_bucket import BUCKET
from tests.support.small_galleries import (
    NOW,
    add,
    gallery,
    gone,
    head,
    make_live,
    photo,
    shown,
    vector,
)

ROWS = (
    photo("a", "1", category="x"),
    photo("b", "1", category="w"),
    gone("c", "1"),
    photo("d", "1"),
)
SHOWN = {"a": "a 1", "b": "b 1", "d": "d 1"}


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A snapshot of these rows, and a deletion after it."""
    if request.param == "bucket":
        request.getfixturevalue("s3")
    storage = (
        FileStorage(tmp_path / "a b%20ü")
        if request.param == "folder"
        else open_storage(f"s3://{BUCKET}/artifacts")
    )
    make_live(storage)
    add(storage, *ROWS)
    fold(storage, head(storage), now=NOW)
    return storage


def files(storage: Storage) -> dict[str, str]:
    """The snapshot's keys by name."""
    return {info.key.rpartition("/")[2]: info.key for info in storage.list("snapshots/")}


def nearest(gallery: Gallery, name: str) -> str:
    return gallery.search(vector(name), 1)[0].row.key


def test_a_gallery_goes_on_when_its_files_are_removed_or_replaced(storage: Storage) -> None:
    seen = gallery(storage)
    for key in files(storage).values():
        storage.write(key, b"something else")
        storage.delete(key)
    assert shown(seen) == SHOWN
    assert [nearest(seen, name) for name in SHOWN.values()] == list(SHOWN)
    assert len(seen.known) == 4
    with pytest.raises(NotFoundError):
        gallery(storage)


def test_nothing_is_left_behind_beside_the_storage(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "temporary"
    here.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here))
    seen = gallery(storage)
    assert list(here.iterdir()) == []
    storage.write(files(storage)["vectors.npy"], b"damaged")
    with pytest.raises(ArtifactError):
        gallery(storage)
    assert list(here.iterdir()) == []
    assert shown(seen) == SHOWN


@pytest.mark.parametrize("name", ["vectors.npy", "rows.npz"])
@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + b"?"])
def test_a_damaged_file_is_refused(storage: Storage, name: str, damage) -> None:  # type: ignore[no-untyped-def]
    key = files(storage)[name]
    storage.write(key, damage(storage.read(key)[0]))
    with pytest.raises(ArtifactError, match=f"{name} is damaged"):
        gallery(storage)


def test_a_file_that_is_missing_is_not_found(storage: Storage) -> None:
    storage.delete(files(storage)["rows.npz"])
    with pytest.raises(NotFoundError):
        gallery(storage)


def test_compressed_rows_are_refused_in_one_line(storage: Storage) -> None:
    keys = files(storage)
    out = BytesIO()
    np.savez_compressed(out, key=np.array([b"a"]))
    _replace(storage, keys, "rows.npz", out.getvalue())
    with pytest.raises(ArtifactError, match=r"rows.npz is damaged \(key.npy is compressed\)"):
        gallery(storage)


def _replace(storage: Storage, keys: dict[str, str], name: str, data: bytes) -> None:
    manifest = json.loads(storage.read(keys["manifest.json"])[0])
    manifest["sha256"][name] = hashlib.sha256(data).hexdigest()
    manifest["sizes"][name] = len(data)
    storage.write(keys[name], data)
    storage.write(keys["manifest.json"], json.dumps(manifest).encode())

"""Snapshots and their mapped_arrays: mapped in place or copied, checked, usable once removed.

Covers: mapped_arrays, mapped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.errors import ArtifactError, DamagedError, MissingError, NotFoundError
from lens.gallery import mapped_arrays, snapshots
from lens.gallery.gallery import Gallery
from lens.gallery.index import EightBits, building
from lens.gallery.index import index as nearest_index
from lens.gallery.snapshots import (
    FoldedSegment,
    SnapshotRef,
    load_rows,
    load_snapshot,
    parse_snapshot_key,
    read_snapshot_manifest,
    snapshot_files,
    vectors_key,
    write_snapshot,
)
from lens.pipeline.compact import fold
from lens.storage import FileStorage, Storage, open_storage
from tests.support.s3_bucket import BUCKET
from tests.support.small_galleries import (
    DIM,
    MODEL,
    NOW,
    add,
    gallery,
    gone,
    head,
    make_live,
    photo,
    segment,
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


# What is read is checked, whatever the checksums say: a writer may have been wrong.

Arrays = dict[str, NDArray[Any]]


class Written:
    """A snapshot of ROWS in a folder."""

    def __init__(self, folder: Path) -> None:
        self.storage = FileStorage(folder)
        self.ref = write_snapshot(
            self.storage,
            MODEL,
            segment(*ROWS),
            parent="0" * 32,
            folded=[FoldedSegment(id="1" * 32, at=NOW)],
            expired_tombstones=3,
        )
        self.keys = files(self.storage)

    def change_manifest(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Write another manifest, as a release without checksums would."""
        manifest = json.loads(self.storage.read(self.keys["manifest.json"])[0])
        change(manifest)
        self.storage.write(self.keys["manifest.json"], json.dumps(manifest).encode())

    def replace(self, name: str, data: bytes) -> None:
        """Write another file, and its checksum."""
        _replace(self.storage, self.keys, name, data)

    def change_rows(self, change: Callable[[Arrays], Arrays]) -> None:
        """Write other rows or another layout."""
        with np.load(BytesIO(self.storage.read(self.keys["rows.npz"])[0])) as archive:
            arrays = {name: archive[name] for name in archive.files}
        out = BytesIO()
        np.savez(out, **{**arrays, **change(arrays)})
        self.replace("rows.npz", out.getvalue())

    def refused(self, name: str, message: str) -> None:
        """Whoever loads it is told that this file is damaged."""
        with pytest.raises(DamagedError, match=message) as raised:
            load_snapshot(self.storage, MODEL, self.ref.id)
        assert raised.value.key == self.keys[name]
        assert "\n" not in str(raised.value)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def test_a_snapshot_is_read_as_it_was_written(written: Written) -> None:
    assert written.ref == SnapshotRef(id=written.ref.id, rows=4, parent="0" * 32)
    found = load_snapshot(written.storage, MODEL, written.ref.id, 4)
    assert found.manifest == read_snapshot_manifest(written.storage, MODEL, written.ref.id, 4)
    assert found.folded_ids == {"1" * 32}
    assert (found.manifest.parent, found.manifest.expired_tombstones) == ("0" * 32, 3)
    assert (found.manifest.rows, found.manifest.photos) == (4, 3)
    assert (found.manifest.embedding_dim, found.manifest.index_type) == (DIM, "flat")
    assert found.manifest.effort is None
    given, back = segment(*ROWS), found.as_segment()
    assert [back.rows[position] for position in range(4)] == list(ROWS)
    np.testing.assert_array_equal(back.vectors, given.vectors)
    rows = load_rows(written.storage, MODEL, written.ref.id)
    assert [rows[position] for position in range(4)] == list(ROWS)


def test_its_keys_tell_its_model_and_itself(written: Written) -> None:
    name = written.ref.id
    assert set(snapshot_files(written.storage, MODEL, name)) == set(written.keys.values())
    assert vectors_key(MODEL, name) == written.keys["vectors.npy"]
    assert written.keys["rows.npz"] == f"snapshots/{MODEL}/{name}/rows.npz"
    assert parse_snapshot_key(written.keys["rows.npz"]) == (MODEL, name)
    for key in ("segments/m/s/rows.npz", "snapshots/m/rows.npz", "snapshots/m/s/t/rows.npz"):
        with pytest.raises(ArtifactError, match="not the name of a snapshot's file"):
            parse_snapshot_key(key)


def test_a_snapshot_without_its_manifest_is_missing(written: Written) -> None:
    written.storage.delete(written.keys["manifest.json"])
    for read in (read_snapshot_manifest, load_snapshot, load_rows, snapshot_files):
        with pytest.raises(MissingError) as raised:
            read(written.storage, MODEL, written.ref.id)
        assert raised.value.key == written.keys["manifest.json"]


def test_another_count_of_rows_than_was_named_is_damage(written: Written) -> None:
    assert read_snapshot_manifest(written.storage, MODEL, written.ref.id).rows == 4
    for read in (read_snapshot_manifest, load_snapshot):
        with pytest.raises(DamagedError, match="4 rows instead of 5"):
            read(written.storage, MODEL, written.ref.id, 5)


@pytest.mark.parametrize("name", ["model_id", "id"])
def test_a_manifest_in_another_s_place_is_told(written: Written, name: str) -> None:
    written.change_manifest(lambda m: m.update({name: "other"}))
    written.refused("manifest.json", "it is that of .*other")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["sha256"].pop("rows.npz"),
        lambda m: m["sizes"].pop("rows.npz"),
        lambda m: [m[each].pop("vectors.npy") for each in ("sha256", "sizes")],
        lambda m: m.update(effort={"probes": 1, "candidates": 1, "recall": 1.0}),
        lambda m: m["sizes"].update({"gallery.index": 1}),
    ],
)
def test_a_manifest_names_every_file(written: Written, change: Callable[[Any], None]) -> None:
    written.change_manifest(change)
    written.refused("manifest.json", "it does not name every file")


WRONG_ROWS: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "a row more": (
        lambda a: {n: np.append(a[n], a[n][-1:]) for n in a if not n.startswith("layout_")},
        "5 rows instead of 4",
    ),
    "a layout of other rows": (
        lambda a: {"layout_position_of": a["layout_position_of"][:-1]},
        "the layout is that of other rows",
    ),
    "a layout of other photos": (
        lambda a: {"layout_by_item": a["layout_by_item"][[0, 0, 2]]},
        "does not have every photo once",
    ),
    "an odd kind": (lambda a: {"kind": a["kind"] + np.uint8(9)}, "unknown kind"),
    "not in order": (lambda a: {"key": a["key"][::-1].copy()}, "not sorted by key"),
    "a column gone": (lambda a: {"key": np.arange(4)}, "key is int64"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_rows_that_cannot_be_are_refused(
    written: Written, change: Callable[[Arrays], Arrays], message: str
) -> None:
    written.change_rows(change)
    written.refused("rows.npz", message)


def test_rows_of_one_key_may_follow_each_other(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    content = segment(gone("a", "1"), photo("a", "2"), photo("b", "1"))
    ref = write_snapshot(storage, MODEL, content, parent=None, folded=(), expired_tombstones=0)
    assert len(load_snapshot(storage, MODEL, ref.id).rows) == 3


WRONG_VECTORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "another kind": (lambda v: v.astype(np.float64), "vectors float64"),
    "one too few": (lambda v: v[:-1].copy(), "vectors float32"),
    "a dimension less": (lambda v: v[:, :-1].copy(), "vectors float32"),
    "not of unit length": (lambda v: v * np.float32(2), "not of unit length"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_VECTORS.values(), ids=WRONG_VECTORS)
def test_vectors_that_cannot_be_are_refused(
    written: Written, change: Callable[[Any], Any], message: str
) -> None:
    out = BytesIO()
    np.save(out, change(np.load(BytesIO(written.storage.read(written.keys["vectors.npy"])[0]))))
    written.replace("vectors.npy", out.getvalue())
    written.refused("vectors.npy", message)


@pytest.mark.parametrize("name", ["rows.npz", "vectors.npy"])
@pytest.mark.parametrize("data", [b"", b"no arrays"])
def test_what_is_no_file_of_arrays_is_named(written: Written, name: str, data: bytes) -> None:
    written.replace(name, data)
    written.refused(name, name)


def test_vectors_that_no_row_has_are_refused(written: Written) -> None:
    """Each file is as its own manifest says, and they do not fit each other."""
    one = segment(photo("a", "1"), gone("b", "1"), gone("c", "1"), gone("d", "1"))
    other = write_snapshot(
        written.storage, MODEL, one, parent=None, folded=(), expired_tombstones=0
    )
    rows = written.storage.read(f"snapshots/{MODEL}/{other.id}/rows.npz")[0]
    written.replace("rows.npz", rows)
    written.refused("rows.npz", "it places 1 of 3 vectors")


def test_the_rest_of_large_files_is_read_where_that_is_asked_for(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and vectors in their place on this disk, which checksums alone would take seconds."""
    written.change_rows(lambda a: {"looked_at": a["looked_at"] * np.nan})
    for module in ("lens.storage.mapped", "lens.gallery.snapshots"):
        monkeypatch.setattr(f"{module}.CHECKED_IN_PLACE", 8)
    load_snapshot(written.storage, MODEL, written.ref.id)
    with pytest.raises(DamagedError, match="a look at no time"):
        load_snapshot(written.storage, MODEL, written.ref.id, whole=True)
    size = written.storage.head(written.keys["rows.npz"])
    assert size is not None
    monkeypatch.setattr("lens.gallery.snapshots.CHECKED_IN_PLACE", size.size)
    written.refused("rows.npz", "a look at no time")


def test_a_snapshot_s_lists_are_written_measured_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "SCAN_LIMIT", 64)
    monkeypatch.setattr(snapshots, "ROUNDED_FROM", 64)
    monkeypatch.setattr(nearest_index, "SCANNED_SPAN", 20)
    monkeypatch.setattr(building, "SCANNED_SPAN", 20)
    monkeypatch.setattr(building, "EFFORTS", ((1_000, 1_000),))
    storage = FileStorage(tmp_path)

    def write(photos: int) -> SnapshotRef:
        rows = [photo(f"{number:03}", "1", category="ab"[number % 2]) for number in range(photos)]
        content = segment(*rows)
        return write_snapshot(storage, MODEL, content, parent=None, folded=(), expired_tombstones=0)

    ref, larger = write(90), write(91)
    found = load_snapshot(storage, MODEL, ref.id)
    assert found.manifest.effort is not None
    assert found.manifest.effort.recall == 1.0
    assert found.index.lists is not None
    assert len(snapshot_files(storage, MODEL, ref.id)) == 5
    back = found.as_segment()
    np.testing.assert_array_equal(back.vectors[7], vector("007 1"))
    key = f"snapshots/{MODEL}/{ref.id}/"
    keys = {name: key + name for name in ("gallery.index", "manifest.json")}
    other = storage.read(f"snapshots/{MODEL}/{larger.id}/gallery.index")[0]
    for data, message in ((other, "lists of 91 vectors of 8 numbers"), (b"no lists", "damaged")):
        _replace(storage, keys, "gallery.index", data)
        with pytest.raises(DamagedError, match=message) as raised:
            load_snapshot(storage, MODEL, ref.id)
        assert raised.value.key == keys["gallery.index"]


def test_searches_read_a_large_snapshot_s_vectors_at_a_quarter_of_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "SCAN_LIMIT", 64)
    monkeypatch.setattr(snapshots, "ROUNDED_FROM", 64)
    monkeypatch.setattr(building, "EFFORTS", ((1_000, 1_000),))
    storage, other = FileStorage(tmp_path), FileStorage(tmp_path / "other")
    content = segment(*[photo(f"{number:03}", "1") for number in range(90)])

    def write(to: FileStorage) -> SnapshotRef:
        return write_snapshot(to, MODEL, content, parent=None, folded=(), expired_tombstones=0)

    ref = write(storage)
    key = f"snapshots/{MODEL}/{ref.id}/"
    storage.delete(f"{key}vectors.npy")
    found = load_snapshot(storage, MODEL, ref.id, eight_bits=True)
    assert isinstance(found.index.stored, EightBits)
    at = found.layout.position_of[7]
    assert found.index.search(vector("007 1"), 1)[1].tolist() == [at]
    with pytest.raises(TypeError, match="load the exact ones"):
        found.as_segment()
    # Damage is told, by a search that needs them and by whoever checks all.
    data = storage.read(f"{key}vectors8.npy")[0]
    keys = {name: key + name for name in ("vectors8.npy", "manifest.json")}
    _replace(storage, keys, "vectors8.npy", data[:-700] + bytes(700))
    with pytest.raises(DamagedError, match="without a direction"):
        load_snapshot(storage, MODEL, ref.id, eight_bits=True)
    # A small one has none, and neither has one of an earlier release.
    monkeypatch.setattr(snapshots, "ROUNDED_FROM", 91)
    small = load_snapshot(other, MODEL, write(other).id, eight_bits=True)
    assert not isinstance(small.index.stored, EightBits)


def test_mapped_bytes_are_read_as_a_file_is() -> None:
    data = bytes(range(10))
    mapped, file = mapped_arrays._Bytes(np.frombuffer(data, np.uint8)), BytesIO(data)
    for size in (3, 0, 4, -1, -1):
        assert mapped.read(size) == file.read(size)
        assert mapped.tell() == file.tell()
    for offset, whence in ((2, 0), (3, 1), (-4, 2)):
        mapped.seek(offset, whence)
        file.seek(offset, whence)
        assert (mapped.tell(), mapped.read()) == (file.tell(), file.read())
        mapped.seek(5)
        file.seek(5)

"""Every artifact, damaged in every way: its reader raises the one error, which names it.

Covers: errors, loading, mapped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lens.errors import DamagedError, MissingError, NotFoundError
from lens.gallery.assortment import Entry, Products
from lens.gallery.commits import commit_key, head_key, read_commit, read_head
from lens.gallery.current import KEY, read_current
from lens.gallery.product_tables import (
    ProductsManifest,
    load_shelf,
    products_key,
    read_look,
    write_look,
    write_table,
)
from lens.gallery.segments import read_segment, segment_key
from lens.gallery.snapshots import load_rows, load_snapshot
from lens.models.beside import beside_key
from lens.models.calibration import (
    Calibration,
    read_calibration,
    read_garment_direction,
    read_probes,
    write_calibration,
)
from lens.models.manifest import manifest_key, network_key, read_manifest, read_network
from lens.photos.layouts.layout import Layout
from lens.photos.layouts.stored import read_layout, store_layout
from lens.pipeline.bootstrap import is_due
from lens.pipeline.collect import collect
from lens.pipeline.compact import fold
from lens.pipeline.picture_state import PicturesState, read_state
from lens.storage import FileStorage
from lens.storage.formats import announce_format, written_format
from tests.support.small_galleries import DIM, NOW, add, gone, head, make_live, photo
from tests.support.tiny_model import write_tiny_model

Reader = Callable[[FileStorage], Any]


class Artifacts:
    """One of each artifact, in the newest format, which has checksums."""

    def __init__(self, storage: FileStorage) -> None:
        self.storage = storage
        announce_format(storage, 0.0)
        self.model = write_tiny_model(storage)
        self.id = self.model.model_id
        make_live(storage, self.id)
        add(
            storage,
            photo("a", "1", category="x"),
            photo("b", "1"),
            gone("c", "1"),
            model_id=self.id,
        )
        fold(storage, head(storage, self.id), now=NOW)
        self.head = add(storage, photo("d", "1"), gone("a", "2"), model_id=self.id)
        assert self.head.snapshot is not None
        self.snapshot = self.head.snapshot
        (self.segment,) = self.head.segments
        entries = [Entry(name, "i", ("n", name), b"text") for name in "ab"]
        ref = write_table(storage, self.id, "1" * 32, Products.of(entries))
        self.look = ProductsManifest(
            id="1" * 32, model_id=self.id, previous=None, file="products.csv", etag="e", whole=ref
        )
        write_look(storage, self.look)
        words = Calibration(
            garment_from=0.5, same=0.9, very_similar=0.8, similar_style=0.5, loss=0.1
        )
        vectors = np.eye(DIM, dtype=np.float32)
        write_calibration(storage, self.id, words, vectors, np.ones(DIM + 1, np.float32))

    def readers(self) -> dict[str, tuple[str, Reader]]:
        """By kind: the key of the artifact, and what reads it."""
        name, snapshot, segment = self.id, self.snapshot, self.segment
        folder = f"snapshots/{name}/{snapshot.id}/"

        def load(storage: FileStorage) -> list[Any]:
            found = load_snapshot(storage, name, snapshot.id, snapshot.rows)
            return [found.manifest, *_arrays(found.as_segment())]

        return {
            "current": (KEY, read_current),
            "head": (head_key(name), lambda s: read_head(s, name)),
            "commit": (
                commit_key(name, self.head.name),
                lambda s: read_commit(s, name, self.head.name),
            ),
            "segment": (
                segment_key(name, segment.id),
                lambda s: _arrays(read_segment(s, name, segment.id, segment.rows)),
            ),
            "snapshot": (f"{folder}manifest.json", load),
            "rows": (f"{folder}rows.npz", load),
            "rows alone": (
                f"{folder}rows.npz",
                lambda s: [c.tolist() for c in load_rows(s, name, snapshot.id).columns().values()],
            ),
            "vectors": (f"{folder}vectors.npy", load),
            "look": (products_key(name, self.look.id), lambda s: read_look(s, name, self.look.id)),
            "table": (
                f"products/{name}/{self.look.id}/table.npz",
                lambda s: sorted(load_shelf(s, self.look).assortment),
            ),
            "model": (manifest_key(name), lambda s: read_manifest(s, name)),
            "network": (network_key(self.model), lambda s: read_network(s, self.model)),
            "calibration": (
                beside_key(name, "calibration.json"),
                lambda s: read_calibration(s, name),
            ),
            "probes": (
                beside_key(name, "probes.npy"),
                lambda s: _list(read_probes(s, name, DIM)),
            ),
            "garment": (
                beside_key(name, "garment.npy"),
                lambda s: _list(read_garment_direction(s, name, DIM)),
            ),
        }


# A model may be without them, if its manifest does not name them.
OPTIONAL = ("calibration", "probes", "garment")
KINDS = (
    *("current", "head", "commit", "segment", "snapshot", "rows", "rows alone", "vectors"),
    *("look", "table", "model", "network", *OPTIONAL),
)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return Artifacts(FileStorage(tmp_path_factory.mktemp("artifacts")))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def _arrays(segment: Any) -> list[Any]:
    columns = segment.rows.columns()
    return [segment.vectors.tolist(), *(columns[name].tolist() for name in sorted(columns))]


def _list(array: Any) -> Any:
    return None if array is None else array.tolist()


def refused(artifacts: Artifacts, kind: str, data: bytes | None) -> DamagedError | None:
    """What the reader says while this lies in the artifact's place; None where it reads what it
    read before."""
    key, read = artifacts.readers()[kind]
    path = artifacts.storage.root / key
    whole, before = path.read_bytes(), read(artifacts.storage)
    path.chmod(0o644)
    try:
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        assert read(artifacts.storage) == before, f"{key} is read otherwise"
        told = None
    except DamagedError as error:
        told = error
    finally:
        path.write_bytes(whole)
    if told:
        assert told.key == key
        assert "`lens repair`" in str(told) and "\n" not in str(told)
    return told


def content(artifacts: Artifacts, kind: str) -> bytes:
    return (artifacts.storage.root / artifacts.readers()[kind][0]).read_bytes()


def test_an_artifact_that_is_empty_or_cut_is_refused(artifacts: Artifacts, kind: str) -> None:
    whole = content(artifacts, kind)
    for data in (
        b"",
        whole[: len(whole) // 2],
        whole[:3],
        whole[:-9],
        b"{}",
        b"null",
        b"\x00" * 99,
    ):
        assert refused(artifacts, kind, data), data


def test_a_document_without_its_checksum_is_refused(artifacts: Artifacts) -> None:
    """A piece of it was lost: python -m tests.fuzz artifacts --count 1 --seed 10944."""
    whole = json.loads(content(artifacts, "current"))
    assert whole.pop("sum")
    told = refused(artifacts, "current", json.dumps(whole).encode())
    assert told and "it has no checksum" in str(told)


def test_an_artifact_of_which_a_bit_is_flipped_is_refused_or_the_same(
    artifacts: Artifacts, kind: str
) -> None:
    whole, told = content(artifacts, kind), 0
    places = np.linspace(0, len(whole) - 1, 60).astype(int).tolist()
    for number, place in enumerate(places):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << number % 8
        told += refused(artifacts, kind, bytes(flipped)) is not None
    assert told > len(places) // 2


def test_a_missing_artifact_that_another_names_is_missing(artifacts: Artifacts, kind: str) -> None:
    key, read = artifacts.readers()[kind]
    path = artifacts.storage.root / key
    whole = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(NotFoundError) as raised:
            read(artifacts.storage)
        if kind != "model":  # it may be a name that somebody has typed
            assert isinstance(raised.value, MissingError)
            assert raised.value.key == key
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("kind", ["head", "commit", "segment", "snapshot", "look", "model"])
def test_an_artifact_of_another_model_is_refused(tmp_path: Path, kind: str) -> None:
    """Whole, but lying where another one belongs."""
    mine, theirs = (Artifacts(FileStorage(tmp_path / name)) for name in ("mine", "theirs"))
    other = write_tiny_model(theirs.storage, 1).model_id
    if kind == "model":
        data = (theirs.storage.root / manifest_key(other)).read_bytes()
    elif kind in ("head", "commit"):
        add(theirs.storage, photo("z", "1"), model_id=other)
        make_live(theirs.storage, other)
        named = add(theirs.storage, photo("z", "2"), model_id=other)
        data = (theirs.storage.root / commit_key(other, named.name)).read_bytes()
    elif kind == "look":
        look = mine.look.model_copy(update={"id": "2" * 32})
        data = (mine.storage.root / write_look(mine.storage, look)).read_bytes()
    else:
        data = content(theirs, kind)
    assert refused(mine, kind, data)


WRONG: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "dimension": lambda a: {"vectors": a["vectors"][:, :4]},
    "length": lambda a: {"vectors": a["vectors"] * 2},
    "not finite": lambda a: {"vectors": a["vectors"] * np.float32("nan")},
    "one vector too many": lambda a: {"vectors": np.concatenate([a["vectors"]] * 2)},
    "no vectors": lambda a: {"vectors": a["vectors"][:0]},
    "dtype": lambda a: {"vectors": a["vectors"].astype(np.float64)},
    "a flat array": lambda a: {"vectors": a["vectors"].ravel()},
    "a column too short": lambda a: {"etag": a["etag"][:-1]},
    "a column of numbers": lambda a: {"key": np.arange(len(a["key"]))},
    "a scalar": lambda a: {"key": np.array(b"a")},
    "an unknown kind": lambda a: {"kind": a["kind"] + np.uint8(9)},
    "no time": lambda a: {"looked_at": a["looked_at"] * np.nan},
    "no text": lambda a: {"key": np.array([b"\xff"] * len(a["key"]))},
    "fewer rows": lambda a: {
        name: column[:1] for name, column in a.items() if column.ndim and name != "folded"
    },
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("release", ["this", "an earlier one"])
def test_a_segment_that_is_well_formed_but_wrong_is_refused(
    artifacts: Artifacts, wrong: str, release: str
) -> None:
    arrays = dict(np.load(BytesIO(content(artifacts, "segment"))))
    if release != "this":  # whose segments have no checksum
        for name in ("model", "id", "sha256"):
            del arrays[name]
        if wrong == "dimension":  # a gallery tells that
            return
    arrays.update(WRONG[wrong](arrays))
    out = BytesIO()
    np.savez(out, **arrays)
    assert refused(artifacts, "segment", out.getvalue())


def test_a_segment_of_an_earlier_release_is_read(artifacts: Artifacts) -> None:
    arrays = dict(np.load(BytesIO(content(artifacts, "segment"))))
    for name in ("model", "id", "sha256"):
        del arrays[name]
    out = BytesIO()
    np.savez(out, **arrays)
    assert refused(artifacts, "segment", out.getvalue()) is None


def _layout_anew(storage: FileStorage) -> object:
    layout = Layout("{item}/{name}")
    assert read_layout(storage) == Layout()
    return store_layout(storage, layout) == layout == read_layout(storage)


def _marks_anew(storage: FileStorage) -> object:
    collect(storage, storage, lambda looks: None, now=NOW)
    return b'"artifacts"' in storage.read("collected.json")[0]


def _format_anew(storage: FileStorage) -> object:
    assert written_format(storage, NOW) == 1
    announce_format(storage, 0.0)
    return written_format(storage, NOW) == 2


def _failures_anew(storage: FileStorage) -> object:
    return read_state(storage) == PicturesState()


ANEW = {
    "layout.json": _layout_anew,
    "collected.json": _marks_anew,
    "formats.json": _format_anew,
    "fetching.json": _failures_anew,
}


# Each of them has one of these fields.
_WRONG_TYPES = b'{"newest": "x", "given": 1, "artifacts": 1, "hosts": 1}'


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", _WRONG_TYPES])
@pytest.mark.parametrize("key", ANEW)
def test_what_only_helps_is_begun_anew(tmp_path: Path, key: str, data: bytes) -> None:
    storage = FileStorage(tmp_path)
    announce_format(storage, 0.0)
    make_live(storage)
    add(storage, photo("a", "1"))
    storage.write(key, data)
    assert ANEW[key](storage)


def test_a_large_file_in_its_place_is_read_whole_only_when_that_is_asked_for(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lens.storage.mapped.CHECKED_IN_PLACE", 8)
    monkeypatch.setattr("lens.gallery.snapshots.CHECKED_IN_PLACE", 8)
    key = artifacts.readers()["vectors"][0]
    path = artifacts.storage.root / key
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    snapshot = artifacts.snapshot
    try:
        load_snapshot(artifacts.storage, artifacts.id, snapshot.id)
        with pytest.raises(DamagedError) as raised:
            load_snapshot(artifacts.storage, artifacts.id, snapshot.id, whole=True)
        assert raised.value.key == key
    finally:
        path.write_bytes(whole)


def test_a_live_model_that_is_gone_is_no_name_that_somebody_mistyped(tmp_path: Path) -> None:
    artifacts = Artifacts(FileStorage(tmp_path))
    artifacts.storage.delete(manifest_key(artifacts.id))
    with pytest.raises(MissingError, match="`lens repair`"):
        is_due(artifacts.storage, artifacts.model)

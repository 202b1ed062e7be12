"""Snapshots: a gallery's rows and vectors behind an index, folding every older segment."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, TypeVar

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, DamagedError, MissingError, NotFoundError
from lens.gallery.index import (
    BuiltIndex,
    EightBits,
    Index,
    InvertedLists,
    build_index,
    load_lists,
)
from lens.gallery.layout import Layout, by_category, lay_out
from lens.gallery.mapped_arrays import array_in, arrays_in
from lens.gallery.match_thresholds import MatchThresholds
from lens.gallery.rows import Rows
from lens.gallery.segments import Segment, check_vectors
from lens.storage import Storage, write_once
from lens.storage.documents import Document, Record, read_document, write_document
from lens.storage.formats import Since
from lens.storage.mapped import CHECKED_IN_PLACE, map_object

PREFIX = "snapshots/"
_LISTS, _ROWS, _VECTORS = "gallery.index", "rows.npz", "vectors.npy"
# The same vectors, for searches. Only of so many photos: the exact vectors of fewer are read within
# INIT's 10 seconds, and find a hundredth more. Nor has one of a release before 2026-11-28 any.
_EIGHT_BITS = "vectors8.npy"
ROUNDED_FROM = 2**19
_MANIFEST = "manifest.json"

T = TypeVar("T")


class SnapshotRef(Record):
    """A commit's snapshot; `parent` is the snapshot it was folded from."""

    id: str
    rows: int
    parent: str | None


class FoldedSegment(Record):
    """A segment whose rows are in a snapshot."""

    id: str
    at: float  # when it was folded, seconds since the epoch


class Effort(Record):
    """What a search through the index's lists does, and the recall that this was measured to give
    when the index was built."""

    probes: int  # FAISS's nprobe: lists read
    candidates: int  # ranked exactly, of a search for a page of results
    recall: float  # recall@10 against a scan


class SnapshotManifest(Document):
    """What a snapshot is made of; written last, so a snapshot without one does not exist."""

    id: str
    model_id: str
    parent: str | None  # the snapshot it was folded from
    rows: int
    photos: int
    embedding_dim: int
    index_type: str
    effort: Effort | None = None  # None: every search scans
    sha256: dict[str, str]  # by file name
    sizes: dict[str, int]  # bytes, by file name
    folded: tuple[FoldedSegment, ...]  # since the parent, and earlier ones still worth knowing
    expired_tombstones: int  # dropped here: a searcher that still has them must load this one
    match: Annotated[MatchThresholds | None, Since(2)] = None  # None: too little to tell


@dataclass(frozen=True)
class Snapshot:
    """Rows sorted by key, then version, and the photo rows' vectors in the layout's order."""

    manifest: SnapshotManifest
    rows: Rows
    index: Index
    layout: Layout

    @property
    def folded_ids(self) -> frozenset[str]:
        """Ids of the segments it is known to contain."""
        return frozenset(segment.id for segment in self.manifest.folded)

    def as_segment(self) -> Segment:
        """Its rows and vectors, to be folded again."""
        return Segment(self.rows, self.index.vectors[self.layout.position_of[self.rows.photo_rows]])


def write_snapshot(
    storage: Storage,
    model_id: str,
    content: Segment,
    *,
    parent: str | None,
    folded: Iterable[FoldedSegment],
    expired_tombstones: int,
    match: MatchThresholds | None = None,
) -> SnapshotRef:
    """Write a snapshot of rows that are already resolved and sorted by key, then version."""
    snapshot_id = uuid.uuid4().hex
    built, layout = _arrange(content)
    sha256, sizes = {}, {}

    def write(name: str, data: bytes) -> None:
        write_once(storage, _key(model_id, snapshot_id, name), data)
        sha256[name], sizes[name] = hashlib.sha256(data).hexdigest(), len(data)

    lists = built.index.lists
    if lists is not None:
        write(_LISTS, lists.to_bytes())
    out = BytesIO()
    np.save(out, built.index.vectors, allow_pickle=False)
    write(_VECTORS, out.getvalue())
    if lists is not None and len(built.index) >= ROUNDED_FROM:
        out = BytesIO()
        np.save(out, EightBits.of(built.index.vectors).codes, allow_pickle=False)
        write(_EIGHT_BITS, out.getvalue())
    out = BytesIO()
    # Not compressed, so that a searcher can map it.
    np.savez(out, allow_pickle=False, **content.rows.columns(), **layout.arrays())
    write(_ROWS, out.getvalue())
    manifest = SnapshotManifest(
        id=snapshot_id,
        model_id=model_id,
        parent=parent,
        rows=len(content.rows),
        photos=len(content.vectors),
        embedding_dim=content.vectors.shape[1],
        index_type=built.name,
        effort=_effort(lists, built.recall),
        sha256=sha256,
        sizes=sizes,
        folded=tuple(folded),
        expired_tombstones=expired_tombstones,
        match=match,
    )
    write_document(storage, _key(model_id, snapshot_id, _MANIFEST), manifest)
    return SnapshotRef(id=snapshot_id, rows=manifest.rows, parent=parent)


def read_snapshot_manifest(
    storage: Storage, model_id: str, snapshot_id: str, rows: int | None = None
) -> SnapshotManifest:
    """A snapshot's manifest, of which whoever names it may know how many rows it has. MissingError
    when it is gone, DamagedError when it is damaged."""
    key = _key(model_id, snapshot_id, _MANIFEST)
    try:
        manifest = read_document(storage, key, SnapshotManifest)[0]
    except NotFoundError as error:
        raise MissingError(key) from error
    if (manifest.model_id, manifest.id) != (model_id, snapshot_id):
        raise DamagedError(key, f"it is that of {manifest.id} of {manifest.model_id}")
    if rows is not None and rows != manifest.rows:
        raise DamagedError(key, f"{manifest.rows} rows instead of {rows}")
    files = {_ROWS, _VECTORS, *([_LISTS] if manifest.effort else [])}
    if not files <= manifest.sha256.keys() or manifest.sha256.keys() != manifest.sizes.keys():
        raise DamagedError(key, "it does not name every file")
    return manifest


def snapshot_files(storage: Storage, model_id: str, snapshot_id: str) -> list[str]:
    """The keys of all that a snapshot is made of; NotFoundError when its manifest is gone."""
    manifest = read_snapshot_manifest(storage, model_id, snapshot_id)
    return [_key(model_id, snapshot_id, name) for name in (*manifest.sizes, _MANIFEST)]


def parse_snapshot_key(key: str) -> tuple[str, str]:
    """(model_id, snapshot_id) of the key of a snapshot's file; ArtifactError for any other key."""
    parts = key.removeprefix(PREFIX).split("/")
    if not key.startswith(PREFIX) or len(parts) != 3:
        raise ArtifactError(f"{key} is not the name of a snapshot's file")
    return parts[0], parts[1]


def vectors_key(model_id: str, snapshot_id: str) -> str:
    """Where a snapshot's vectors lie in the artifacts."""
    return _key(model_id, snapshot_id, _VECTORS)


def load_rows(storage: Storage, model_id: str, snapshot_id: str) -> Rows:
    """A snapshot's rows without its vectors; raises as `load_snapshot` does."""
    manifest = read_snapshot_manifest(storage, model_id, snapshot_id)
    data = _mapped(storage, manifest, _ROWS)
    return _checked(manifest, _ROWS, lambda: Rows.read(arrays_in(data)))


def load_snapshot(
    storage: Storage,
    model_id: str,
    snapshot_id: str,
    rows: int | None = None,
    *,
    whole: bool = False,
    eight_bits: bool = False,
) -> Snapshot:
    """Load a snapshot, of which whoever names it may know how many rows it has. MissingError when a
    file of it is gone, DamagedError when one is damaged, or when they do not fit each other.

    With `eight_bits` its vectors are those of 8 bits where it has them: for searches, and for
    nobody who writes vectors again.

    Rows and vectors are mapped and read as they are needed; large ones in their place on this disk
    are checked only if the `whole` is to be, see `map_object`.
    """
    manifest = read_snapshot_manifest(storage, model_id, snapshot_id, rows)
    eight_bits &= _EIGHT_BITS in manifest.sha256
    vectors_file = _EIGHT_BITS if eight_bits else _VECTORS
    others = {_VECTORS, _EIGHT_BITS} - {vectors_file}
    names = [name for name in manifest.sha256 if whole or name not in others]
    # Side by side: where they come over a network, most of it is waiting.
    with ThreadPoolExecutor(len(names), "snapshot") as pool:
        read = pool.map(lambda name: (name, _mapped(storage, manifest, name, whole=whole)), names)
        files = dict(read)

    def rows_and_layout() -> tuple[Rows, Layout]:
        arrays = arrays_in(files[_ROWS])
        found, layout = Rows.read(arrays), Layout.of(arrays)
        if len(found) != manifest.rows:
            raise ValueError(f"{len(found)} rows instead of {manifest.rows}")
        if len(layout.position_of) != len(found):
            raise ValueError("the layout is that of other rows")
        if whole or len(files[_ROWS]) <= CHECKED_IN_PLACE:
            found.check()
            if np.any(found.key[1:] < found.key[:-1]):
                raise ValueError("the rows are not sorted by key")
            layout.check(found)
        return found, layout

    def exact() -> NDArray[np.float32]:
        array = array_in(files[_VECTORS])
        if array.dtype != np.float32 or array.shape != (manifest.photos, manifest.embedding_dim):
            raise ValueError(f"vectors {array.dtype} {array.shape}")
        if whole or len(files[_VECTORS]) <= CHECKED_IN_PLACE:
            check_vectors(array)
        return array

    def of_eight_bits() -> EightBits:
        array = array_in(files[_EIGHT_BITS])
        if array.dtype != np.int8 or array.shape != (manifest.photos, manifest.embedding_dim):
            raise ValueError(f"vectors {array.dtype} {array.shape}")
        found = EightBits(array)
        if whole or len(files[_EIGHT_BITS]) <= CHECKED_IN_PLACE:
            found.check()
        return found

    def lists() -> InvertedLists | None:
        if manifest.effort is None:
            return None
        effort = manifest.effort
        found = load_lists(files[_LISTS], effort.probes, effort.candidates)
        if (found.index.ntotal, found.index.d) != (manifest.photos, manifest.embedding_dim):
            raise ValueError(f"lists of {found.index.ntotal} vectors of {found.index.d} numbers")
        return found

    content, layout = _checked(manifest, _ROWS, rows_and_layout)
    if whole and _EIGHT_BITS in files:
        _checked(manifest, _EIGHT_BITS, of_eight_bits)
    stored = (
        _checked(manifest, _EIGHT_BITS, of_eight_bits)
        if eight_bits
        else _checked(manifest, _VECTORS, exact)
    )
    index = Index(stored, _checked(manifest, _LISTS, lists))
    if len(index) != len(layout.rows_at):
        what = f"it places {len(layout.rows_at)} of {len(index)} vectors"
        raise DamagedError(_key(model_id, snapshot_id, _ROWS), what)
    return Snapshot(manifest, content, index, layout)


def _checked(manifest: SnapshotManifest, name: str, read: Callable[[], T]) -> T:
    """What `read` makes of a file; DamagedError when it cannot."""
    try:
        return read()
    except Exception as error:  # damaged bytes end NumPy, zipfile and FAISS in many ways
        key = _key(manifest.model_id, manifest.id, name)
        raise DamagedError(key, " ".join(str(error).split()) or type(error).__name__) from error


def _mapped(
    storage: Storage, manifest: SnapshotManifest, name: str, *, whole: bool = False
) -> NDArray[np.uint8]:
    return map_object(
        storage,
        _key(manifest.model_id, manifest.id, name),
        sha256=manifest.sha256[name],
        size=manifest.sizes[name],
        whole=whole,
    )


def _arrange(content: Segment) -> tuple[BuiltIndex, Layout]:
    """An index over the vectors, and where it put each row's."""
    photos, categories, starts = by_category(content.rows)
    vector_of_row = np.zeros(len(content.rows), np.intp)
    vector_of_row[content.rows.photo_rows] = np.arange(len(content.vectors))
    built = build_index(content.vectors[vector_of_row[photos]], starts[:-1].tolist())
    return built, lay_out(content.rows, photos[built.order], categories, starts)


def _effort(lists: InvertedLists | None, recall: float) -> Effort | None:
    if lists is None:
        return None
    return Effort(probes=lists.nprobe, candidates=lists.candidates, recall=round(recall, 4))


def _key(model_id: str, snapshot_id: str, name: str) -> str:
    return f"{PREFIX}{model_id}/{snapshot_id}/{name}"

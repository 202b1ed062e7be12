"""Snapshots: a FAISS index and its rows, folding every older segment of a gallery."""

from __future__ import annotations

import hashlib
import uuid
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from lens.commits import SnapshotRef
from lens.documents import Document, read_document, write_document
from lens.errors import ArtifactError
from lens.index import Index, build_index, index_from_bytes
from lens.rows import Rows
from lens.segments import Segment
from lens.storage import Storage, write_once

PREFIX = "snapshots/"


class FoldedSegment(Document):
    """A segment whose rows are in a snapshot."""

    id: str
    at: float  # when it was folded, seconds since the epoch


class SnapshotManifest(Document):
    """What a snapshot is made of; written last, so a snapshot without one does not exist."""

    id: str
    model_id: str
    parent: str | None  # the snapshot it was folded from
    rows: int
    photos: int
    embedding_dim: int
    index_type: str
    sha256: dict[str, str]  # by file name
    folded: tuple[FoldedSegment, ...]  # since the parent, and earlier ones still worth knowing
    expired_tombstones: int  # dropped here: a searcher that still has them must load this one


@dataclass(frozen=True)
class Snapshot:
    """Rows sorted by key, then version; the index holds the photo rows' vectors in that order."""

    manifest: SnapshotManifest
    rows: Rows
    index: Index
    photo_rows: NDArray[np.intp]  # row of each vector

    @property
    def folded_ids(self) -> frozenset[str]:
        """Ids of the segments it is known to contain."""
        return frozenset(segment.id for segment in self.manifest.folded)

    def as_segment(self) -> Segment:
        """Its rows and vectors, to be folded again."""
        return Segment(self.rows, self.index.vectors())


def write_snapshot(
    storage: Storage,
    model_id: str,
    content: Segment,
    *,
    parent: str | None,
    folded: Iterable[FoldedSegment],
    expired_tombstones: int,
) -> SnapshotRef:
    """Write a snapshot of rows that are already resolved and sorted by key, then version."""
    snapshot_id = uuid.uuid4().hex
    index, index_type = build_index(content.vectors)
    out = BytesIO()
    np.savez(out, allow_pickle=False, **content.rows.columns())
    files = {"gallery.index": index.to_bytes(), "rows.npz": out.getvalue()}
    for name, data in files.items():
        write_once(storage, _key(model_id, snapshot_id, name), data)
    manifest = SnapshotManifest(
        id=snapshot_id,
        model_id=model_id,
        parent=parent,
        rows=len(content.rows),
        photos=len(content.vectors),
        embedding_dim=content.vectors.shape[1],
        index_type=index_type,
        sha256={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        folded=tuple(folded),
        expired_tombstones=expired_tombstones,
    )
    write_document(storage, _key(model_id, snapshot_id, "manifest.json"), manifest)
    return SnapshotRef(id=snapshot_id, rows=manifest.rows, parent=parent)


def read_snapshot_manifest(storage: Storage, model_id: str, snapshot_id: str) -> SnapshotManifest:
    """A snapshot's manifest; NotFoundError when it is gone."""
    return read_document(storage, _key(model_id, snapshot_id, "manifest.json"), SnapshotManifest)[0]


def load_snapshot(storage: Storage, model_id: str, snapshot_id: str) -> Snapshot:
    """Load a snapshot, its checksums verified; ArtifactError when its parts do not fit."""
    manifest = read_snapshot_manifest(storage, model_id, snapshot_id)
    files = {}
    for name, sha256 in manifest.sha256.items():
        files[name], _ = storage.read(_key(model_id, snapshot_id, name))
        if hashlib.sha256(files[name]).hexdigest() != sha256:
            raise ArtifactError(
                f"{_key(model_id, snapshot_id, name)} does not match its checksum; "
                "`lens rollback` to an earlier commit, then index again"
            )
    try:
        with np.load(BytesIO(files["rows.npz"]), allow_pickle=False) as arrays:
            rows = Rows(**{field.name: arrays[field.name] for field in fields(Rows)})
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"snapshot {snapshot_id} has unreadable rows ({error})") from error
    index = index_from_bytes(files["gallery.index"])
    photo_rows = rows.photo_rows
    if len(photo_rows) != len(index) or index.embedding_dim != manifest.embedding_dim:
        raise ArtifactError(f"snapshot {snapshot_id}: rows and index do not fit; index again")
    return Snapshot(manifest, rows, index, photo_rows)


def _key(model_id: str, snapshot_id: str, name: str) -> str:
    return f"{PREFIX}{model_id}/{snapshot_id}/{name}"

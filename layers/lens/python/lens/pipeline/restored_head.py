"""Restored head: one that names what is whole of a gallery, and nothing else."""

from __future__ import annotations

import uuid
from dataclasses import replace

import numpy as np

from lens.errors import ArtifactError, ConflictError, NotFoundError
from lens.gallery.commits import Commit, SegmentRef, commit_key, head_key, restore_head
from lens.gallery.condemned import read_condemned
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Cause, Kind, Row, Rows
from lens.gallery.segments import Segment, write_segment
from lens.gallery.versions import UNSEEN
from lens.pipeline.disappearance import is_mass
from lens.pipeline.gallery_parts import Content, GalleryParts
from lens.pipeline.greatest_versions import greatest_versions
from lens.pipeline.repair_work import RepairWork
from lens.pipeline.verify import Inspection
from lens.storage import Storage
from lens.storage.aside import keep_copy
from lens.storage.documents import parse_document, write_document

_ATTEMPTS = 40


def rebuild_gallery(work: RepairWork, found: Inspection, model_id: str) -> None:
    """Advance a head to what is whole, unless all that it names is."""
    parts, key = found.gallery(model_id), head_key(model_id)
    lost = key in found.keys
    if not lost and (parts.head is None or parts.is_whole(parts.head)):
        return
    # What a collector is about to remove may be gone in a moment.
    content = parts.without(_condemned(work.storage)).content()
    content = replace(
        content,
        segments=content.segments + _tombstones(work, parts, content, found.dims.get(model_id)),
    )
    if lost:
        keep_copy(work.storage, key, work.folder)
    for _ in range(_ATTEMPTS):
        newest, etag = _newest(work, model_id)
        if lost and newest and parts.commits.get(newest.id) == newest:
            return  # another repair was faster
        try:
            commit = _next(parts, content, None if lost else newest, work.clock())
            restore_head(work.storage, commit, etag)
        except ConflictError:
            continue
        work.say(f"{key} goes on with what is whole, as commit {commit.number}")
        return
    raise ConflictError(f"{key} kept changing; run `lens repair` again")


def write_entry(work: RepairWork, parts: GalleryParts) -> None:
    """Let the history have a whole head's entry again."""
    head = parts.head
    if head and head.number and head.id not in parts.commits and parts.is_whole(head):
        key = commit_key(parts.model_id, head.name)
        write_document(work.storage, key, head)
        work.say(f"{key} is written again, from the head")


def _tombstones(
    work: RepairWork, parts: GalleryParts, content: Content, dim: int | None
) -> tuple[SegmentRef, ...]:
    """A segment that keeps out of sight what the catalog has no more: the tombstones of such
    photos may have been in what was lost. A mass of them is left to reconciliation to hold."""
    at, seen = work.clock(), greatest_versions(work.storage, parts)
    trial = _commit(parts, replace(content, products=None), at)
    gallery = load_gallery(work.storage, trial)
    rows = {row.key: row for row in map(gallery.known.__getitem__, range(len(gallery.known)))}
    listed = {info.key for info in work.catalog.photos()}
    absent = [
        rows.get(key, Row(key, UNSEEN, Kind.TOMBSTONE, at))
        for key in sorted((rows.keys() | seen.keys()) - listed)
    ]
    shown = [row for row in absent if row.kind == Kind.PHOTO]
    if is_mass(len(shown), of=gallery.photo_count):
        work.say(
            f"{len(shown)} photos that the catalog does not list are left as they are: "
            "is its folder mounted?"
        )
        absent = [row for row in absent if row.kind != Kind.PHOTO]
    tombstones = [
        Row(
            row.key,
            max(row.version, seen.get(row.key, UNSEEN)).bumped(),
            Kind.TOMBSTONE,
            at,
            reason=Cause.LISTING,
        )
        for row in absent
        if row.kind in (Kind.PHOTO, Kind.REJECTION)
        or (row.kind == Kind.TOMBSTONE and row.version < seen.get(row.key, UNSEEN))
    ]
    if dim is None:  # the model is damaged, too
        dims = [each.vectors.shape[1] for each in gallery.tail.values()]
        dims += [gallery.snapshot.manifest.embedding_dim] if gallery.snapshot else []
        dim = next(iter(dims), None)
    if not tombstones or dim is None:
        return ()
    segment = Segment(Rows.of(tombstones), np.empty((0, dim), np.float32))
    name = write_segment(work.storage, parts.model_id, segment)
    return (SegmentRef(id=name, rows=len(tombstones)),)


def _newest(work: RepairWork, model_id: str) -> tuple[Commit | None, str | None]:
    """The head as it is now, None where it is damaged or lost, and the ETag of its bytes."""
    key = head_key(model_id)
    try:
        data, info = work.storage.read(key)
    except NotFoundError:
        return None, None
    try:
        return parse_document(key, data, Commit), info.etag
    except ArtifactError:
        return None, info.etag


def _next(parts: GalleryParts, content: Content, newest: Commit | None, now: float) -> Commit:
    """The commit that names what is whole, and what a newer head than the one that was inspected
    has got since; ConflictError where that cannot be told."""
    if newest is None:
        return _commit(parts, content, now)
    if parts.head is None or newest.snapshot != parts.head.snapshot:
        raise ConflictError("another process has folded or repaired it")
    have = parts.head.tail_ids | {ref.id for ref in content.segments}
    fresh = tuple(ref for ref in newest.segments if ref.id not in have)
    products = content.products if newest.products == parts.head.products else newest.products
    more = replace(content, segments=content.segments + fresh, products=products)
    return _commit(parts, more, now, number=newest.number + 1)


def _commit(parts: GalleryParts, content: Content, now: float, number: int = 0) -> Commit:
    return Commit(
        model_id=parts.model_id,
        number=number or parts.highest + 1,
        id=uuid.uuid4().hex,
        parent=parts.newest_whole(),
        created_at=now,
        snapshot=content.snapshot,
        segments=content.segments,
        products=content.products,
    )


def _condemned(storage: Storage) -> frozenset[str]:
    try:
        return read_condemned(storage)
    except ArtifactError:
        return frozenset()  # it is set aside, and what it named is condemned again

"""Collect: removes what no head, pin, kept history or candidate reaches, after a grace period.

The thumbnails may lie in a bucket with a shop's own files. So one is removed only when its name is
one that this project gives, and when a segment or snapshot of these artifacts named its photo.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from lens.errors import ArtifactError, NotFoundError
from lens.gallery import retention
from lens.gallery.commits import (
    COMMITS,
    HEADS,
    Commit,
    CommitName,
    advance_head,
    commit_key,
    history,
    read_commit,
    read_head,
)
from lens.gallery.current import Current, read_current
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import PREFIX as PRODUCTS
from lens.gallery.product_tables import read_look, table_folders
from lens.gallery.rows import Cause, Kind, Rows
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import parse_segment_key, read_segment, segment_key
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import load_rows, parse_snapshot_key
from lens.gallery.versions import Look
from lens.photos.thumbnail_store import PREFIX as THUMBS
from lens.photos.thumbnail_store import thumb_key
from lens.storage import ObjectInfo, Storage
from lens.storage.documents import Document, read_document, swap_document

log = logging.getLogger(__name__)

# Earlier releases marked whatever lay under thumbs/ in "collector.json": those marks are not read.
_MARKS = "collected.json"
# The names that this project gives to the parts of a gallery.
_OURS = re.compile(
    rf"{COMMITS}[^/]+/[0-9]{{8,}}-[0-9a-f]{{32}}\.json"
    rf"|{SEGMENTS}[^/]+/[0-9a-f]{{32}}\.npz"
    rf"|{SNAPSHOTS}[^/]+/[0-9a-f]{{32}}/[a-z]+\.[a-z]+"
    rf"|{PRODUCTS}[^/]+/[0-9a-f]{{32}}/[a-z]+\.[a-z]+"
)


class _Marks(Document):
    """When each unreachable object was first seen so; seconds since the epoch."""

    artifacts: dict[str, float] = {}
    thumbs: dict[str, float] = {}


@dataclass
class _Reached:
    """What must stay: whole keys, folders, and the thumbnails of photos."""

    keys: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    thumbs: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        return key in self.keys or key.rpartition("/")[0] in self.folders


def collect(
    artifacts: Storage,
    thumbs: Storage,
    queue: Callable[[list[Look]], None],
    *,
    now: float,
) -> int:
    """Mark what is unreachable and remove what has been marked for the grace; how many went.

    A segment that was never committed may have newer rows than the gallery: their keys are queued
    again before the segment is removed.
    """
    if read_current(artifacts) is None:
        return 0
    for info in artifacts.list(HEADS):
        _abandon(artifacts, info.key.removeprefix(HEADS).removesuffix(".json"), now)
    # List first, then read what is current: an object written in between is not in the listing.
    listed = [
        info
        for p in (COMMITS, SEGMENTS, SNAPSHOTS, PRODUCTS)
        for info in artifacts.list(p)
        if _is_ours(info)
    ]
    listed_thumbs = list(thumbs.list(THUMBS))
    current = read_current(artifacts)
    if current is None:
        return 0
    reached = _reach(artifacts, current)
    unreached = [info for info in listed if not reached.has(info.key)]
    left = _thumbs_left(artifacts, unreached)
    due: list[str] = []
    due_thumbs: list[str] = []

    def mark(old: _Marks | None) -> _Marks:
        old = old or _Marks()
        marks, due[:] = _marked(old.artifacts, unreached, now)
        ours = (left | old.thumbs.keys()) - reached.thumbs
        thumb_marks, due_thumbs[:] = _marked(
            old.thumbs, [info for info in listed_thumbs if info.key in ours], now
        )
        return _Marks(artifacts=marks, thumbs=thumb_marks)

    swap_document(artifacts, _MARKS, _Marks, mark)
    orphans = [parse_segment_key(key) for key in due if key.startswith(SEGMENTS)]
    looks = [look for model in current.followed for look in _unknown(artifacts, model, orphans)]
    if looks:
        queue(looks)
    for key in due:
        artifacts.delete(key)
    for key in due_thumbs:
        thumbs.delete(key)
    return len(due) + len(due_thumbs)


def _is_ours(info: ObjectInfo) -> bool:
    return _OURS.fullmatch(info.key) is not None


def _thumbs_left(storage: Storage, unreached: list[ObjectInfo]) -> set[str]:
    """The keys of the thumbnails of parts that have become unreachable since the last run.

    Each part is read once, when it gets its mark; the thumbnails have marks of their own.
    """
    try:
        marked = read_document(storage, _MARKS, _Marks)[0].artifacts
    except NotFoundError:
        marked = {}
    new = [info.key for info in unreached if info.key not in marked]
    parts: list[Callable[[], Rows]] = [
        partial(_segment_rows, storage, *parse_segment_key(key))
        for key in new
        if key.startswith(SEGMENTS)
    ]
    snapshots = {parse_snapshot_key(key) for key in new if key.startswith(SNAPSHOTS)}
    parts += [partial(load_rows, storage, *names) for names in sorted(snapshots)]
    left: set[str] = set()
    for read in parts:
        try:
            left.update(_thumb_keys(read()))
        except NotFoundError:
            continue  # a killed writer left only some of its files
        except ArtifactError as error:
            log.warning("the thumbnails of a damaged part are not removed: %s", error)
    return left


def _segment_rows(storage: Storage, model_id: str, segment_id: str) -> Rows:
    return read_segment(storage, model_id, segment_id).rows


def _thumb_keys(rows: Rows) -> Iterable[str]:
    return (thumb_key(name.decode()) for name in rows.photo_id[rows.photo_rows].tolist())


def _retained_models(current: Current) -> set[str]:
    models = {*current.followed, *current.retained}
    return models | {current.pin.model_id} if current.pin else models


def _abandon(storage: Storage, model_id: str, now: float) -> None:
    """Empty the head of a retired model, so that its parts become unreachable."""

    def empty(head: Commit) -> Commit | None:
        if head.snapshot is None and not head.segments and head.products is None:
            return None
        # Read after the head: a promotion that has just begun advances the head too.
        current = read_current(storage)
        if current is None or model_id in _retained_models(current):
            return None
        return head.model_copy(update={"snapshot": None, "segments": (), "products": None})

    advance_head(storage, model_id, empty, now=now)


def _reach(storage: Storage, current: Current) -> _Reached:
    reached = _Reached()
    commits: list[Commit] = []
    for model_id in _retained_models(current):
        commits += islice(history(storage, model_id), retention.COMMITS)
    if current.pin:
        pinned = CommitName(number=current.pin.commit, id=current.pin.commit_id)
        commits.append(read_commit(storage, current.pin.model_id, pinned))
    for commit in commits:
        reached.keys.add(commit_key(commit.model_id, commit.name))
        _reach_parts(storage, commit, reached)
    return reached


def _reach_parts(storage: Storage, commit: Commit, reached: _Reached) -> None:
    if commit.snapshot is not None:
        folder = f"{SNAPSHOTS}{commit.model_id}/{commit.snapshot.id}"
        if folder not in reached.folders:
            reached.folders.add(folder)
            rows = load_rows(storage, commit.model_id, commit.snapshot.id)
            reached.thumbs.update(_thumb_keys(rows))
    if commit.products is not None:
        look = read_look(storage, commit.model_id, commit.products.id)
        reached.folders.update(table_folders(look))
    for ref in commit.segments:
        key = segment_key(commit.model_id, ref.id)
        if key not in reached.keys:
            reached.keys.add(key)
            rows = _segment_rows(storage, commit.model_id, ref.id)
            reached.thumbs.update(_thumb_keys(rows))


def _marked(
    old: dict[str, float], unreached: list[ObjectInfo], now: float
) -> tuple[dict[str, float], list[str]]:
    """The marks of what is unreachable now, and what has been for the whole grace."""
    marks = {info.key: old.get(info.key, now) for info in unreached}
    # A thumbnail written again lately belongs to a photo that is on its way into the gallery.
    due = [
        info.key
        for info in unreached
        if max(marks[info.key], info.modified) <= now - retention.GRACE
    ]
    return {key: at for key, at in marks.items() if key not in set(due)}, due


def _unknown(storage: Storage, model_id: str, orphans: list[tuple[str, str]]) -> list[Look]:
    """Looks at the keys of which uncommitted segments have newer rows than the model's gallery."""
    mine = [segment_id for model, segment_id in orphans if model == model_id]
    if not mine:
        return []
    head = read_head(storage, model_id)
    known = load_gallery(storage, head).known
    positions = {key.decode(): position for position, key in enumerate(known.key)}
    looks = []
    for segment_id in mine:
        try:
            rows = _segment_rows(storage, model_id, segment_id)
        except (ArtifactError, NotFoundError):
            continue  # reconciliation finds what it would have said
        for row in map(rows.__getitem__, range(len(rows))):
            position = positions.get(row.key)
            if position is None:
                newer = row.kind != Kind.TOMBSTONE
            else:
                newer = row.version > known[position].version
            if newer:
                looks.append(Look(row.key, row.version, model_id, cause=Cause.AGAIN))
    return looks

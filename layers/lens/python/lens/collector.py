"""The collector: removes what no head, pin, kept history or candidate reaches, after a grace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from lens import retention
from lens.commits import (
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
from lens.current import Current, read_current
from lens.documents import Document, swap_document
from lens.errors import NotFoundError
from lens.loading import load_gallery
from lens.rows import EMPTY_ROWS, Kind
from lens.segments import PREFIX as SEGMENTS
from lens.segments import parse_segment_key, read_segment, segment_key
from lens.snapshots import PREFIX as SNAPSHOTS
from lens.snapshots import load_snapshot
from lens.storage import ObjectInfo, Storage
from lens.thumbs import PREFIX as THUMBS
from lens.thumbs import thumb_key
from lens.versions import Look

KEPT_COMMITS = 20  # of each kept model, for `lens rollback`
_MARKS = "collector.json"


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

    Keys that a segment knows better than its gallery, because it was never committed, are queued
    again before it is removed.
    """
    if read_current(artifacts) is None:
        return 0
    for info in artifacts.list(HEADS):
        _abandon(artifacts, info.key.removeprefix(HEADS).removesuffix(".json"), now)
    # Listed before it is read what is current: what is written meanwhile is not in the listing.
    listed = [i for p in (COMMITS, SEGMENTS, SNAPSHOTS) for i in artifacts.list(p)]
    listed_thumbs = list(thumbs.list(THUMBS))
    current = read_current(artifacts)
    if current is None:
        return 0
    reached = _reach(artifacts, current)
    unreached = [info for info in listed if not reached.has(info.key)]
    unreached_thumbs = [info for info in listed_thumbs if info.key not in reached.thumbs]
    due: list[str] = []
    due_thumbs: list[str] = []

    def mark(old: _Marks | None) -> _Marks:
        old = old or _Marks()
        marks, due[:] = _marked(old.artifacts, unreached, now)
        thumb_marks, due_thumbs[:] = _marked(old.thumbs, unreached_thumbs, now)
        return _Marks(artifacts=marks, thumbs=thumb_marks)

    swap_document(artifacts, _MARKS, _Marks, mark)
    orphans = [parse_segment_key(key) for key in due if key.startswith(SEGMENTS)]
    looks = [look for model in current.kept_up for look in _unknown(artifacts, model, orphans)]
    if looks:
        queue(looks)
    for key in due:
        artifacts.delete(key)
    for key in due_thumbs:
        thumbs.delete(key)
    return len(due) + len(due_thumbs)


def _kept_models(current: Current) -> set[str]:
    models = {*current.kept_up, *current.kept}
    return models | {current.pin.model_id} if current.pin else models


def _abandon(storage: Storage, model_id: str, now: float) -> None:
    """Empty a head that no one follows, so that its parts become unreachable like any other's."""

    def empty(head: Commit) -> Commit | None:
        if head.snapshot is None and not head.segments:
            return None
        # Asked after the head was read: a promotion that has just begun advances the head too.
        current = read_current(storage)
        if current is None or model_id in _kept_models(current):
            return None
        return head.model_copy(update={"snapshot": None, "segments": ()})

    advance_head(storage, model_id, empty, now=now)


def _reach(storage: Storage, current: Current) -> _Reached:
    reached = _Reached()
    commits: list[Commit] = []
    for model_id in _kept_models(current):
        commits += islice(history(storage, model_id), KEPT_COMMITS)
    if current.pin:
        pinned = CommitName(number=current.pin.commit, id=current.pin.commit_id)
        commits.append(read_commit(storage, current.pin.model_id, pinned))
    for commit in commits:
        reached.keys.add(commit_key(commit.model_id, commit.name))
        _reach_parts(storage, commit, reached)
    return reached


def _reach_parts(storage: Storage, commit: Commit, reached: _Reached) -> None:
    photo_ids: list[bytes] = []
    if commit.snapshot is not None:
        folder = f"{SNAPSHOTS}{commit.model_id}/{commit.snapshot.id}"
        if folder not in reached.folders:
            reached.folders.add(folder)
            snapshot = load_snapshot(storage, commit.model_id, commit.snapshot.id)
            photo_ids += snapshot.rows.photo_id[snapshot.layout.rows_at].tolist()
    for ref in commit.segments:
        key = segment_key(commit.model_id, ref.id)
        if key not in reached.keys:
            reached.keys.add(key)
            rows = read_segment(storage, commit.model_id, ref.id).rows
            photo_ids += rows.photo_id[rows.photo_rows].tolist()
    reached.thumbs.update(thumb_key(photo_id.decode()) for photo_id in photo_ids)


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
    """Looks at the keys of which a model's orphaned segments know more than its gallery."""
    mine = [segment_id for model, segment_id in orphans if model == model_id]
    if not mine:
        return []
    head = read_head(storage, model_id)
    known = load_gallery(storage, head).known if head else EMPTY_ROWS
    positions = {key.decode(): position for position, key in enumerate(known.key)}
    looks = []
    for segment_id in mine:
        try:
            rows = read_segment(storage, model_id, segment_id).rows
        except NotFoundError:
            continue
        for row in map(rows.__getitem__, range(len(rows))):
            position = positions.get(row.key)
            if position is None:
                newer = row.kind != Kind.TOMBSTONE
            else:
                newer = row.version > known[position].version
            if newer:
                looks.append(Look(row.key, row.version, model_id))
    return looks

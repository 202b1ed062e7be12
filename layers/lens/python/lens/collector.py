"""The collector: removes what no head, pin, kept history or candidate reaches, after a grace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
)
from lens.current import KEPT_MODELS, Current, read_current
from lens.documents import Document, swap_document
from lens.errors import NotFoundError
from lens.segments import PREFIX as SEGMENTS
from lens.segments import parse_segment_key, read_segment, segment_key
from lens.snapshots import PREFIX as SNAPSHOTS
from lens.snapshots import load_snapshot
from lens.storage import ObjectInfo, Storage
from lens.thumbnails import PREFIX as THUMBS
from lens.thumbnails import thumb_key
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

    A segment that was never committed has its keys queued again before it is removed.
    """
    current = read_current(artifacts)
    if current is None:
        return 0
    kept = _kept_models(current)
    for info in artifacts.list(HEADS):
        model_id = info.key.removeprefix(HEADS).removesuffix(".json")
        if model_id not in kept:
            _abandon(artifacts, model_id, now)
    # Listed before the heads are read: what is written meanwhile is not in the listing.
    listed = [i for p in (COMMITS, SEGMENTS, SNAPSHOTS) for i in artifacts.list(p)]
    listed_thumbs = list(thumbs.list(THUMBS))
    reached = _reach(artifacts, current, kept)
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
    orphans = [key for key in due if key.startswith(SEGMENTS)]
    looks = [look for key in orphans for look in _looks(artifacts, key)]
    if looks:
        queue(looks)
    for key in due:
        artifacts.delete(key)
    for key in due_thumbs:
        thumbs.delete(key)
    return len(due) + len(due_thumbs)


def _kept_models(current: Current) -> set[str]:
    models = {*current.kept_up, *current.previous[:KEPT_MODELS]}
    return models | {current.pin.model_id} if current.pin else models


def _abandon(storage: Storage, model_id: str, now: float) -> None:
    """Empty a head that no one follows, so that its parts become unreachable like any other's.

    If the model was just named a candidate, its promotion finds an empty gallery and fills it.
    """

    def empty(head: Commit) -> Commit | None:
        if head.snapshot is None and not head.segments:
            return None
        return head.model_copy(update={"snapshot": None, "segments": ()})

    advance_head(storage, model_id, empty, now=now)


def _reach(storage: Storage, current: Current, kept: Iterable[str]) -> _Reached:
    reached = _Reached()
    commits: list[Commit] = []
    for model_id in kept:
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
            photo_ids += snapshot.rows.photo_id[snapshot.photo_rows].tolist()
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


def _looks(storage: Storage, key: str) -> list[Look]:
    model_id, segment_id = parse_segment_key(key)
    try:
        segment = read_segment(storage, model_id, segment_id)
    except NotFoundError:
        return []
    if segment.folded:
        return []  # a compactor's: each segment it was merged from is looked after by itself
    rows = segment.rows
    return [Look(row.key, row.version) for row in map(rows.__getitem__, range(len(rows)))]

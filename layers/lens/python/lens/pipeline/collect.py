"""Collect: removes what no head, pin, kept history or candidate reaches, after a grace period.

The thumbnails may lie in a bucket with a shop's own files. So one is removed only when its name is
one that this project gives, and when a segment or snapshot of these artifacts named its photo.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from lens.errors import ArtifactError, DamagedError, NotFoundError
from lens.gallery import retention
from lens.gallery.commits import (
    Commit,
    CommitName,
    advance_head,
    commit_key,
    head_key,
    headed_models,
    kept_history,
    read_commit,
    read_head,
)
from lens.gallery.condemned import condemn, forget, read_condemned
from lens.gallery.current import Current, read_current
from lens.gallery.product_tables import read_look, table_folders
from lens.gallery.rows import Rows
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import parse_segment_key, read_segment, segment_key
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import load_rows, parse_snapshot_key
from lens.gallery.versions import Look
from lens.photos.thumbnail_store import PREFIX as THUMBS
from lens.photos.thumbnail_store import thumb_key
from lens.pipeline.commit import newer_looks
from lens.pipeline.listing import Listed
from lens.pipeline.part_names import PREFIXES, is_ours
from lens.storage import ObjectInfo, Storage
from lens.storage.documents import Document, read_document, swap_document, touch_document
from lens.storage.formats import Since

log = logging.getLogger(__name__)

# Earlier releases marked whatever lay under thumbs/ in "collector.json": those marks are not read.
_MARKS = "collected.json"
# After a longer pause, or where the clock went back, a run only takes up the marks and the next one
# judges them, so that a single run whose clock is far off removes nothing. A stack may collect once
# a week (`collect_hours`), and miss a run.
_LONGEST = 14 * retention.GRACE
# Seconds by which a storage's clock and this machine's may differ.
_CLOCKS = 60.0
# Thumbnails that are looked at together.
_ASKED = 8


class _Marks(Document):
    """When each unreachable object was first seen so, by the artifacts' clock; seconds since the
    epoch. `at` is the last run."""

    artifacts: dict[str, float] = {}
    thumbs: dict[str, float] = {}
    at: Annotated[float | None, Since(2, at_once=True)] = None

    def agrees_with(self, now: float) -> bool:
        """Whether the clocks of the last run and of this one can both be right."""
        return self.at is None or self.at <= now <= self.at + _LONGEST

    def renewed(self, artifacts: Iterable[str], thumbs: Iterable[str], now: float) -> _Marks:
        """The marks of these, which are unreachable now.

        What is new was seen at the later of two times that disagree. Once two runs agree, no mark
        can be later than now.
        """
        agreed = self.agrees_with(now)
        first = now if agreed or self.at is None else max(now, self.at)

        def marks(keys: Iterable[str], old: dict[str, float]) -> dict[str, float]:
            known = ((key, old.get(key, first)) for key in keys)
            return {key: min(at, now) if agreed else at for key, at in known}

        return _Marks(
            artifacts=marks(artifacts, self.artifacts), thumbs=marks(thumbs, self.thumbs), at=now
        )


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
    now: float | None = None,
    pictures: Listed | None = None,
) -> int:
    """Mark what is unreachable and remove what has been marked for the grace; how many went. `now`
    is in seconds since the epoch, by default by the artifacts' own clock. The thumbnails are listed
    now, or were listed before: `pictures`.

    A segment that was never committed may have newer rows than the gallery: their keys are queued
    again before the segment is removed. Stopped, the next run goes on where it was.
    """
    if read_current(artifacts) is None:
        return 0
    if now is None:
        now = artifacts.now()
    for model_id in headed_models(artifacts):
        _abandon(artifacts, model_id, now)
    condemned = read_condemned(artifacts)
    # List first, then read what is current: an object written in between is not in the listing.
    listed = [info for each in PREFIXES for info in artifacts.list(each) if is_ours(info.key)]
    listed_thumbs = list(thumbs.list(THUMBS)) if pictures is None else pictures
    current = read_current(artifacts)
    if current is None:
        return 0
    reached = _Reached()
    _reach(artifacts, current, reached, now)
    # A part's thumbnails are listed after the part: those of a newer one might not be.
    before = None if pictures is None else pictures.at - _CLOCKS
    settled = [info for info in listed if before is None or info.modified < before]
    unreached = [info for info in settled if not reached.has(info.key)]
    left = _thumbs_left(artifacts, unreached)
    due: list[str] = []
    due_thumbs: list[str] = []
    there: set[str] = set()  # of the thumbnails that nothing reaches

    def mark(old: _Marks | None) -> _Marks:
        old = old or _Marks()
        ours = (left | old.thumbs.keys()) - reached.thumbs
        shown = [info for info in listed_thumbs if info.key in ours]
        marks = old.renewed((i.key for i in unreached), (i.key for i in shown), now)
        there.clear()
        there.update(marks.thumbs)
        agreed = old.agrees_with(now)
        due[:] = _due(marks.artifacts, unreached, now) if agreed else []
        due_thumbs[:] = _due(marks.thumbs, shown, now) if agreed else []
        return marks

    swap_document(artifacts, _MARKS, _Marks, mark, anew=True)
    # Names never repeat: what was condemned before it was missing from the listing is gone.
    gone = condemned - {info.key for info in listed}
    condemn(artifacts, due)
    _fence(artifacts, due, now)
    current = read_current(artifacts) or current
    _reach(artifacts, current, reached, now)
    removed_thumbs = [key for key in due_thumbs if key not in reached.thumbs]
    if pictures is not None:
        removed_thumbs = _as_old(thumbs, removed_thumbs, now)
    left_thumbs = there - reached.thumbs - set(removed_thumbs)
    removed = [key for key in due if not reached.has(key)]
    removed = _without_parts_of(artifacts, removed, left_thumbs)
    orphans = [parse_segment_key(key) for key in removed if key.startswith(SEGMENTS)]
    looks = [look for model in current.followed for look in _unknown(artifacts, model, orphans)]
    if looks:
        queue(looks)
    thumbs.delete_many(removed_thumbs)
    artifacts.delete_many(removed)
    forget(artifacts, {*due, *gone})
    if removed or removed_thumbs:
        swap_document(artifacts, _MARKS, _Marks, _without(removed, removed_thumbs))
    for storage in (artifacts, thumbs):
        storage.remove_partial(storage.now() - retention.GRACE)
    return len(removed) + len(removed_thumbs)


def _as_old(thumbs: Storage, keys: list[str], now: float) -> list[str]:
    """Those that nobody has written again since they were listed."""

    def is_old(key: str) -> bool:
        info = next(iter(thumbs.list(key)), None)
        return info is not None and info.key == key and info.modified <= now - retention.GRACE

    with ThreadPoolExecutor(_ASKED, "thumbs") as pool:
        return [key for key, old in zip(keys, pool.map(is_old, keys), strict=True) if old]


def _fence(storage: Storage, due: list[str], now: float) -> None:
    """Make every commit fail that has begun: it may name what is about to be removed.

    A model without a head gets an empty one, because a first commit cannot be made to fail.
    """
    if not due:
        return
    models = {key.split("/")[1] for key in due}
    for model_id in sorted(models.union(headed_models(storage))):
        advance_head(storage, model_id, lambda head: None if head.number else head, now=now)
        touch_document(storage, head_key(model_id))


def _without(keys: list[str], thumbs: list[str]) -> Callable[[_Marks | None], _Marks | None]:
    """The marks of what still is there."""

    def strip(old: _Marks | None) -> _Marks | None:
        if old is None:
            return None
        gone = {*keys, *thumbs}
        artifacts, pictures = (
            {key: at for key, at in marks.items() if key not in gone}
            for marks in (old.artifacts, old.thumbs)
        )
        return old.model_copy(update={"artifacts": artifacts, "thumbs": pictures})

    return strip


def check_marks(storage: Storage) -> None:
    """DamagedError when the marks are damaged."""
    read_document(storage, _MARKS, _Marks)


def _thumbs_left(storage: Storage, unreached: list[ObjectInfo]) -> set[str]:
    """The keys of the thumbnails of parts that have become unreachable since the last run.

    Each part is read once, when it gets its mark; the thumbnails have marks of their own.
    """
    try:
        marked = read_document(storage, _MARKS, _Marks)[0].artifacts
    except (NotFoundError, DamagedError):  # damaged, the marks begin anew
        marked = {}
    new = [info.key for info in unreached if info.key not in marked]
    left: set[str] = set()
    for read in _parts(storage, new).values():
        try:
            left.update(_thumb_keys(read()))
        except NotFoundError:
            continue  # a killed writer left only some of its files
        except ArtifactError as error:
            log.warning("the thumbnails of a damaged part are not removed: %s", error)
    return left


def _without_parts_of(storage: Storage, keys: list[str], thumbs: set[str]) -> list[str]:
    """The keys without those of parts that name one of these thumbnails. A part goes after them:
    the marks can be lost, and nothing else would tell whose they are."""
    needed: set[str] = set()
    for part, read in (_parts(storage, keys) if thumbs else {}).items():
        with suppress(NotFoundError, ArtifactError):  # what cannot be read tells nothing
            if not thumbs.isdisjoint(_thumb_keys(read())):
                needed.add(part)
    return [key for key in keys if needed.isdisjoint((key, key.rpartition("/")[0]))]


def _parts(storage: Storage, keys: Iterable[str]) -> dict[str, Callable[[], Rows]]:
    """What reads the rows of each part that has a file with one of these keys: of a segment by its
    key, of a snapshot by its folder."""
    parts: dict[str, Callable[[], Rows]] = {}
    for key in keys:
        if key.startswith(SEGMENTS):
            parts[key] = partial(_segment_rows, storage, *parse_segment_key(key))
        elif key.startswith(SNAPSHOTS):
            folder = key.rpartition("/")[0]
            parts[folder] = partial(load_rows, storage, *parse_snapshot_key(key))
    return parts


def _segment_rows(storage: Storage, model_id: str, segment_id: str) -> Rows:
    return read_segment(storage, model_id, segment_id).rows


def _thumb_keys(rows: Rows) -> Iterable[str]:
    return (thumb_key(name.decode()) for name in rows.photo_id[rows.photo_rows].tolist())


def _retained_models(current: Current) -> set[str]:
    models = {*current.followed, *current.retained}
    return models | {current.pin.model_id} if current.pin else models


def _outlived(head: Commit, current: Current, now: float) -> bool:
    """Whether a model has not followed the catalog for so long that it has what was deleted since,
    and searches cannot go back to it. A pin needs the models that were live in between."""
    if head.model_id in current.followed or current.pin is not None:
        return False
    return head.created_at < now - retention.PIN


def _abandon(storage: Storage, model_id: str, now: float) -> None:
    """Empty the head of a retired model, so that its parts become unreachable."""

    def empty(head: Commit) -> Commit | None:
        if head.is_empty:
            return None
        # Read after the head: a promotion that has just begun advances the head too.
        current = read_current(storage)
        if current is None:
            return None
        if model_id in _retained_models(current) and not _outlived(head, current, now):
            return None
        return head.model_copy(update={"snapshot": None, "segments": (), "products": None})

    advance_head(storage, model_id, empty, now=now, first=True)


def _reach(storage: Storage, current: Current, reached: _Reached, now: float) -> None:
    """Add what must stay by now. What an earlier call has found is not read again."""
    commits: list[Commit] = []
    retained = _retained_models(current)
    for model_id in retained:
        commits += kept_history(storage, model_id, now=now)
    # A head that is not emptied yet may be taken up again.
    for model_id in headed_models(storage):
        if model_id not in retained:
            commits.append(read_head(storage, model_id))
    if current.pin:
        pinned = CommitName(number=current.pin.commit, id=current.pin.commit_id)
        commits.append(read_commit(storage, current.pin.model_id, pinned))
    for commit in commits:
        reached.keys.add(commit_key(commit.model_id, commit.name))
        _reach_parts(storage, commit, reached)


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


def _due(marks: dict[str, float], unreached: list[ObjectInfo], now: float) -> list[str]:
    """What has been unreachable for the whole grace."""
    # A thumbnail written again lately belongs to a photo that is on its way into the gallery.
    return [
        info.key
        for info in unreached
        if max(marks[info.key], info.modified) <= now - retention.GRACE
    ]


def _unknown(storage: Storage, model_id: str, orphans: list[tuple[str, str]]) -> list[Look]:
    """Looks at the keys of which uncommitted segments have newer rows than the model's gallery."""
    parts = []
    for model, segment_id in orphans:
        if model == model_id:
            try:
                parts.append(_segment_rows(storage, model_id, segment_id))
            except (ArtifactError, NotFoundError):
                continue  # reconciliation finds what it would have said
    return newer_looks(storage, read_head(storage, model_id), parts)

"""Compact: keeps a gallery's tail short.

Minor compaction merges small segments into one. Major compaction folds the whole tail into a new
snapshot, whose FAISS index is built then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lens.gallery import retention
from lens.gallery.commits import Commit, SegmentRef, advance_head, read_head
from lens.gallery.current import read_current
from lens.gallery.index import SCAN_LIMIT
from lens.gallery.match_thresholds import MatchThresholds, thresholds_of
from lens.gallery.rows import Kind, Mask, Rows, keepers, winners
from lens.gallery.segments import Segment, concatenate, read_segment, take, write_segment
from lens.gallery.snapshots import (
    FoldedSegment,
    Snapshot,
    SnapshotRef,
    load_rows,
    load_snapshot,
    read_snapshot_manifest,
    write_snapshot,
)
from lens.measures import timed
from lens.models.calibration import read_calibration, read_probes, unless_damaged
from lens.storage import Storage

TAIL_SEGMENTS = 32  # each costs a searcher a read
SMALL_SEGMENT_ROWS = 512
# A tail is scanned by every search. It may have this many rows, or this share of the snapshot's
# rows up to SCAN_LIMIT, whichever is more.
TAIL_ROWS = 256
TAIL_SHARE = 1 / 16
# To fold is to write the whole gallery anew. So while many rows come, that is within LOADING
# seconds of a fold, a tail may have this share of the snapshot's rows up to this many, or else
# TAIL_SHARE without a limit: then loading N rows writes some constant times N, however large N is.
LOADING = 3_600.0
LOADING_SHARE = 1 / 4
LOADING_ROWS = 4 * SCAN_LIMIT


def compact(storage: Storage, model_id: str, *, now: float, aged: bool = True) -> bool:
    """Bring a gallery's tail back within its bounds; False when it was.

    With `aged`, a tail is held to the bounds of a gallery that is not being loaded, and also
    folded when the commit's files have had a deleted or replaced photo for `retention.TAIL`: a
    schedule asks that, because a quiet shop has no events. Work that lost the race is thrown away,
    unless the head still has all that it replaces.
    """
    head = read_head(storage, model_id)
    if _is_long(storage, head, now, aged):
        with timed("fold"):
            return fold(storage, head, now=now)
    if aged and _holds_what_is_gone(storage, head, now):
        with timed("fold"):
            return fold(storage, head, now=now, forget=True)
    if len(head.segments) > TAIL_SEGMENTS:
        with timed("merge"):
            return merge(storage, head, now=now)
    return False


def tail_bounds(snapshot_rows: int) -> tuple[float, float]:
    """Rows that a tail may have beside a snapshot of so many: usually, and while many rows come."""
    usual = max(TAIL_ROWS, min(TAIL_SHARE * snapshot_rows, SCAN_LIMIT))
    loading = min(LOADING_SHARE * snapshot_rows, LOADING_ROWS)
    return usual, max(usual, loading, TAIL_SHARE * snapshot_rows)


def _is_long(storage: Storage, head: Commit, now: float, aged: bool) -> bool:
    """Whether a tail has more rows than it may have now."""
    usual, loading = tail_bounds(head.snapshot.rows if head.snapshot else 0)
    if aged or head.snapshot is None or not usual < head.tail_rows <= loading:
        return head.tail_rows > usual
    manifest = read_snapshot_manifest(storage, head.model_id, head.snapshot.id)
    folded_at = max((segment.at for segment in manifest.folded), default=-np.inf)
    return not folded_at <= now < folded_at + LOADING


def _holds_what_is_gone(storage: Storage, head: Commit, now: float) -> bool:
    """Whether a commit's files still have a photo that was deleted or replaced long ago."""
    tail = Rows.concatenate(
        [read_segment(storage, head.model_id, r.id, r.rows).rows for r in head.segments]
    )
    old = tail.take(np.flatnonzero(tail.looked_at < now - retention.TAIL))
    if len(old) == 0:
        return False
    rows = old
    if head.snapshot is not None:
        settled = load_rows(storage, head.model_id, head.snapshot.id)
        rows = Rows.concatenate([settled.take(settled.of_keys(np.unique(old.key))), old])
    beaten = np.ones(len(rows), dtype=bool)
    beaten[winners(rows)] = False
    return bool(np.any(rows.kind[beaten] == Kind.PHOTO))


def fold(storage: Storage, head: Commit, *, now: float, forget: bool = False) -> bool:
    """Major compaction: fold a commit's whole tail into a new snapshot; False if it lost.

    With `forget`, warm searchers load the new snapshot instead of keeping what they have of it.
    """
    base = None
    if head.snapshot:
        at = head.snapshot
        # What is folded is written anew with a checksum of its own: damage must not come along.
        base = load_snapshot(storage, head.model_id, at.id, at.rows, whole=True)
    tail = {ref.id: read_segment(storage, head.model_id, ref.id, ref.rows) for ref in head.segments}
    if not tail:
        return False
    content, expired = _resolve(storage, base, list(tail.values()), now)
    snapshot = write_snapshot(
        storage,
        head.model_id,
        content,
        parent=head.snapshot.id if head.snapshot and not forget else None,
        folded=_folded(base, tail, now),
        expired_tombstones=expired,
        match=_match_thresholds(storage, head.model_id, content),
    )

    def put(newest: Commit) -> Commit | None:
        if newest.snapshot != head.snapshot or not head.tail_ids <= newest.tail_ids:
            return None
        rest = tuple(ref for ref in newest.segments if ref.id not in head.tail_ids)
        return newest.model_copy(update={"snapshot": snapshot, "segments": rest})

    return advance_head(storage, head.model_id, put, now=now).snapshot == snapshot


def merge(storage: Storage, head: Commit, *, now: float) -> bool:
    """Minor compaction: merge a commit's small segments into one, or some of about the same size
    when none are small."""
    small = [ref for ref in head.segments if ref.rows <= SMALL_SEGMENT_ROWS]
    chosen = small if len(small) > 1 else _alike(head.segments)
    if len(chosen) < 2:
        return False
    parts = {ref.id: read_segment(storage, head.model_id, ref.id, ref.rows) for ref in chosen}
    content, _ = _resolve(storage, None, list(parts.values()), now=None)
    triggers = dict.fromkeys(each for part in parts.values() for each in part.triggers)
    merged = Segment(content.rows, content.vectors, tuple(_names(parts)), tuple(triggers))
    ref = SegmentRef(id=write_segment(storage, head.model_id, merged), rows=len(merged.rows))
    replaced = frozenset(parts)

    def put(newest: Commit) -> Commit | None:
        if not replaced <= newest.tail_ids:
            return None
        rest = tuple(r for r in newest.segments if r.id not in replaced)
        return newest.model_copy(update={"segments": (ref, *rest)})

    return ref.id in advance_head(storage, head.model_id, put, now=now).tail_ids


def _alike(segments: Sequence[SegmentRef]) -> list[SegmentRef]:
    """The two smallest, and on while the next has no more rows than those before it together: what
    is merged into a far larger one would be written again and again."""
    by_rows = sorted(segments, key=lambda ref: ref.rows)
    chosen = by_rows[:2]
    for ref in by_rows[2:]:
        if ref.rows > sum(each.rows for each in chosen):
            break
        chosen.append(ref)
    return chosen


def snapshot_of(storage: Storage, commit: Commit, chosen: Callable[[Rows], Mask]) -> SnapshotRef:
    """Write a snapshot of the rows of a commit that are chosen; searchers load it whole."""
    base = load_snapshot(storage, commit.model_id, commit.snapshot.id) if commit.snapshot else None
    tail = [read_segment(storage, commit.model_id, ref.id) for ref in commit.segments]
    everything = concatenate([*([base.as_segment()] if base else []), *tail])
    some = take(everything, np.flatnonzero(chosen(everything.rows)))
    content = take(some, keepers(some.rows, tombstones_since=-np.inf))
    return write_snapshot(
        storage,
        commit.model_id,
        content,
        parent=None,
        folded=(),
        expired_tombstones=0,
        match=_match_thresholds(storage, commit.model_id, content),
    )


def _resolve(
    storage: Storage, base: Snapshot | None, parts: list[Segment], now: float | None
) -> tuple[Segment, int]:
    """What is kept of these rows, and how many tombstones had expired (none without `now`)."""
    everything = concatenate([*([base.as_segment()] if base else []), *parts])
    since = -np.inf
    if now is not None:
        current = read_current(storage)
        if current is None or current.pin is None:
            since = now - retention.TOMBSTONE
    kept = take(everything, keepers(everything.rows, tombstones_since=since))
    return kept, _tombstones_before(everything.rows, since)


def _match_thresholds(storage: Storage, model_id: str, content: Segment) -> MatchThresholds | None:
    """What similarities are worth among these rows; None without a calibrated model."""
    calibration = unless_damaged(lambda: read_calibration(storage, model_id))
    if calibration is None:
        return None
    dim = content.vectors.shape[1]
    probes = unless_damaged(lambda: read_probes(storage, model_id, dim))
    if probes is None:
        return None
    items = content.rows.item_id[content.rows.photo_rows]
    return thresholds_of(content.vectors, items, probes, calibration.loss)


def _tombstones_before(rows: Rows, since: float) -> int:
    return int(np.count_nonzero((rows.kind == Kind.TOMBSTONE) & (rows.looked_at < since)))


def _folded(base: Snapshot | None, tail: dict[str, Segment], now: float) -> list[FoldedSegment]:
    """The segments a new snapshot holds; a late event for one older than these is not applied."""
    earlier = base.manifest.folded if base else ()
    recent = [segment for segment in earlier if segment.at >= now - retention.SEGMENT]
    return [*recent, *(FoldedSegment(id=name, at=now) for name in _names(tail))]


def _names(segments: dict[str, Segment]) -> list[str]:
    """The segments' ids and those of the segments that they were merged from."""
    names = [name for id_, segment in segments.items() for name in (id_, *segment.merged_from)]
    return list(dict.fromkeys(names))

"""Commit: adds new segments to a model's head, all of a batch in one commit, and the products
that a look at the shop's product file found.

The Lambda function in `lambdas/build_index` runs this stage. The FAISS index is built by compact.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import numpy as np

from lens.errors import ArtifactError, NotFoundError
from lens.gallery import retention
from lens.gallery.commits import Commit, ProductsRef, SegmentRef, advance_head, read_head
from lens.gallery.current import followed_models
from lens.gallery.product_tables import read_look
from lens.gallery.rows import Cause, Kind, Rows, last_of_each_key
from lens.gallery.segments import PREFIX, parse_segment_key, read_segment
from lens.gallery.snapshots import load_rows, read_snapshot_manifest
from lens.gallery.triggers import Trigger, found_now, named
from lens.gallery.versions import UNSEEN, Look
from lens.measures import timed
from lens.photos.catalog import FEED_KEYS
from lens.storage import Storage

log = logging.getLogger(__name__)


def commit_segments(
    storage: Storage, model_id: str, segment_ids: Iterable[str], *, now: float
) -> list[Look]:
    """Add segments to a model's head; those it has already are left alone.

    Returns looks that must be queued again: of segments too old to be trusted, or about to be
    removed, those that know more than the gallery; and all of segments for a model whose gallery no
    longer follows the catalog.
    """
    refs: list[SegmentRef] = []
    applied: dict[str, Rows] = {}
    triggers: dict[str, tuple[Trigger, ...]] = {}
    refused: list[Rows] = []
    head = read_head(storage, model_id)
    known = _folded_ids(storage, head) | head.tail_ids
    for segment_id in dict.fromkeys(segment_ids):
        if segment_id in known:
            continue
        try:
            segment = read_segment(storage, model_id, segment_id)
        except NotFoundError:
            # The collector queues an orphan's keys again before it removes it.
            continue
        rows = segment.rows
        if segment.merged_from:
            continue  # a compactor's, which puts it into the head itself
        if len(rows) and rows.looked_at.min() < now - retention.SEGMENT:
            refused.append(rows)
        elif len(rows):
            refs.append(SegmentRef(id=segment_id, rows=len(rows)))
            applied[segment_id] = rows
            triggers[segment_id] = segment.triggers
    if refs and _is_followed(storage, model_id):

        def add(newest: Commit) -> Commit | None:
            have = newest.tail_ids | _folded_ids(storage, newest)
            fresh = tuple(ref for ref in refs if ref.id not in have)
            if not fresh:
                return None
            return newest.model_copy(update={"segments": newest.segments + fresh})

        with timed("commit"):
            head = advance_head(storage, model_id, add, now=now)
        have = head.tail_ids | _folded_ids(storage, head)
        found = dict.fromkeys(
            each for name, told in triggers.items() if name in have for each in told
        )
        log.info("commit %d of %s is the head%s", head.number, model_id, named(found))
        found_now(found, time.time())
        refused += [rows for name, rows in applied.items() if name not in have]
    # Asked after the commit: if the model was retired meanwhile, the keys go to its successor.
    if not _is_followed(storage, model_id):
        return [look for rows in (*refused, *applied.values()) for look in _looks(rows)]
    return newer_looks(storage, head, refused) if refused else []


def newer_looks(storage: Storage, head: Commit, parts: Iterable[Rows]) -> list[Look]:
    """Looks at the keys of which these rows, that are not committed, know more than a head does.

    Without this question a photo whose segment was folded long ago would be embedded again each
    time that its segment is found.
    """
    found = Rows.concatenate(list(parts))
    if not len(found):
        return []
    known = _known(storage, head)
    positions = {key.decode(): position for position, key in enumerate(known.key)}
    looks = []
    for row in map(found.__getitem__, range(len(found))):
        position = positions.get(row.key)
        if position is None:
            newer = row.kind != Kind.TOMBSTONE
        else:
            newer = row.version > known[position].version
        if newer:
            looks.append(Look(row.key, row.version, head.model_id, cause=Cause.AGAIN))
    return looks


def _known(storage: Storage, head: Commit) -> Rows:
    """Each key's row of the highest version in a commit, sorted by key; also one that waits, which
    wins against none."""
    parts = [read_segment(storage, head.model_id, ref.id).rows for ref in head.segments]
    if head.snapshot is not None:
        parts.append(load_rows(storage, head.model_id, head.snapshot.id))
    rows = Rows.concatenate(parts)
    order = np.lexsort((rows.n, rows.sequencer, rows.key))
    return rows.take(order[last_of_each_key(rows.key[order])])


def commit_feed(
    storage: Storage, model_id: str, look_ids: Iterable[str], *, now: float
) -> list[Look]:
    """Let a model's head name what looks at the product file have found. Returns looks to be queued
    again: of those that another look has overtaken."""
    again = False
    for look_id in look_ids:
        try:
            manifest = read_look(storage, model_id, look_id)
        except NotFoundError:
            continue
        if not _is_followed(storage, model_id):
            continue
        ref = ProductsRef(id=look_id, products=manifest.products)
        head = advance_head(storage, model_id, _named(ref, manifest.previous), now=now)
        again |= head.products != ref
    return [Look(FEED_KEYS[0], UNSEEN.bumped(), model_id)] if again else []


def _named(ref: ProductsRef, previous: str | None) -> Callable[[Commit], Commit | None]:
    def name(newest: Commit) -> Commit | None:
        there = newest.products.id if newest.products else None
        if there != previous:
            return None
        return newest.model_copy(update={"products": ref})

    return name


def uncommitted_segments(storage: Storage, model_id: str) -> list[str]:
    """Segments that no commit has taken in, because a process ended before it could."""
    head = read_head(storage, model_id)
    known = _folded_ids(storage, head) | head.tail_ids
    for ref in head.segments:
        known |= set(read_segment(storage, model_id, ref.id).merged_from)
    left: list[str] = []
    for info in storage.list(f"{PREFIX}{model_id}/"):
        with suppress(ArtifactError):  # a file of somebody else's
            left.append(parse_segment_key(info.key)[1])
    return [name for name in left if name not in known]


def _folded_ids(storage: Storage, commit: Commit) -> frozenset[str]:
    if commit.snapshot is None:
        return frozenset()
    manifest = read_snapshot_manifest(storage, commit.model_id, commit.snapshot.id)
    return frozenset(segment.id for segment in manifest.folded)


def _is_followed(storage: Storage, model_id: str) -> bool:
    return model_id in followed_models(storage)


def _looks(rows: Rows) -> list[Look]:
    looks = (rows[position] for position in range(len(rows)))
    return [Look(row.key, row.version, cause=Cause.AGAIN) for row in looks]

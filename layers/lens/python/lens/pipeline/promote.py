"""Promote: fills a candidate model's gallery beside the live one, then switches in one write."""

from __future__ import annotations

import time
from collections.abc import Callable

from lens.errors import LensError, PinnedError
from lens.gallery.commits import Commit, advance_head
from lens.gallery.current import Current, read_current, swap_current
from lens.gallery.versions import Look
from lens.models.manifest import read_manifest
from lens.photos.catalog import Catalog
from lens.pipeline.commit import commit_segments
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.waiting import never
from lens.storage import Storage

_ROUNDS = 20


def promote(
    storage: Storage,
    catalog: Catalog,
    model_id: str,
    look: Callable[[list[Look]], None],
    *,
    clock: Callable[[], float] = time.time,
) -> Current:
    """Make a model live. `look` must embed and commit what it is given before it returns.

    Interrupted, it leaves the live model alone; run again, it goes on where it was. Raises
    PinnedError while searches are pinned, LensError when the catalog never holds still.
    """
    nominate(storage, model_id, clock=clock)
    for _ in range(_ROUNDS):
        comparison = compare_newest(catalog, storage, model_id, clock, never)
        if regrouped := comparison.regroup(storage):
            commit_segments(storage, model_id, regrouped, now=clock())
        if not comparison.looks:
            return switch(storage, model_id, clock=clock)
        look(comparison.looks)
    raise LensError(
        f"the catalog kept changing during {_ROUNDS} rounds of embedding; run promote again"
    )


def nominate(storage: Storage, model_id: str, *, clock: Callable[[], float] = time.time) -> Current:
    """Make a model the candidate, whose gallery follows the catalog beside the live one's; where
    there is no live model, make it live. Safe to repeat. Raises PinnedError while searches are
    pinned."""
    read_manifest(storage, model_id)

    def name(current: Current | None) -> Current | None:
        if current is None:
            return Current(live=model_id)
        _refuse_pinned(current)
        if model_id in current.followed:
            return None
        return current.model_copy(update={"candidate": model_id})

    nominated = swap_current(storage, name) or Current(live=model_id)
    if nominated.live != model_id:
        # A collector that read current.json before this may be about to empty this old head. Both
        # advance it, and one wins. If the collector wins, the comparison with the catalog finds
        # every photo missing.
        advance_head(storage, model_id, _as_it_is, now=clock())
    return nominated


def switch(storage: Storage, model_id: str, *, clock: Callable[[], float] = time.time) -> Current:
    """Make the candidate live, in one write; its gallery must differ from the catalog no more.

    Raises PinnedError while searches are pinned, LensError when it is the candidate no more.
    """
    current = read_current(storage)
    if current is None or current.live != model_id:
        # A rollback must not reach this model's earlier commits. They were half filled, or still
        # show photos that were deleted while the model was retired, without tombstones for them.
        advance_head(storage, model_id, _without_history, now=clock(), first=True)
        if current is not None:
            # What is kept of the model that was live is kept from now on, however long ago its
            # last photo came.
            advance_head(storage, current.live, _as_it_is, now=clock())

    def change(current: Current | None) -> Current | None:
        if current is None or current.live == model_id:
            return None
        _refuse_pinned(current)
        if current.candidate != model_id:
            raise LensError(f"{current.candidate} became the candidate meanwhile; promote again")
        earlier = tuple(m for m in (current.live, *current.previous) if m != model_id)
        return current.model_copy(update={"live": model_id, "candidate": None, "previous": earlier})

    return swap_current(storage, change) or Current(live=model_id)


def _as_it_is(head: Commit) -> Commit | None:
    return head if head.number else None


def _without_history(head: Commit) -> Commit | None:
    return head if head.parent else None


def _refuse_pinned(current: Current) -> None:
    if current.pin is not None:
        raise PinnedError(
            f"searches are pinned to commit {current.pin.commit} of {current.pin.model_id}; "
            "run `lens release` first"
        )

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
from lens.pipeline.reconcile import Comparison, compare_newest
from lens.pipeline.waiting import never
from lens.storage import Storage

_ROUNDS = 20
_NAMED = 3  # photos that a message names


def promote(
    storage: Storage,
    catalog: Catalog,
    model_id: str,
    look: Callable[[list[Look]], None],
    *,
    clock: Callable[[], float] = time.time,
) -> Current:
    """Make a model live. `look` must embed and commit what it is given before it returns.

    The switch waits for what differed when the model was nominated, and for nothing that came
    later: photos that are uploaded meanwhile are embedded too, the last of them after the switch.
    Interrupted, it leaves the live model alone; run again, it goes on where it was. Raises
    PinnedError while searches are pinned, LensError when what it waits for never comes, or when
    another model becomes the candidate or is live before this one.
    """
    nominate(storage, model_id, clock=clock)
    first: set[tuple[str, float]] | None = None
    for _ in range(_ROUNDS):
        _refuse_overtaken(read_current(storage), model_id)
        comparison = compare_newest(catalog, storage, model_id, clock, never)
        if regrouped := comparison.regroup(storage):
            commit_segments(storage, model_id, regrouped, now=clock())
        if first is None:
            first = set(comparison.since.items())
        owed = [
            each for each in comparison.looks if (each.key, comparison.since[each.key]) in first
        ]
        if not owed:
            live = switch(storage, model_id, clock=clock)
            if comparison.looks:
                look(comparison.looks)
            return live
        look(comparison.looks)
    raise LensError(
        f"{still_lacking(owed)} after {_ROUNDS} rounds of embedding: `lens status` says what ails "
        "them; run promote again"
    )


def owed_since(comparison: Comparison, nominated: float) -> list[Look]:
    """What a promotion waits for of these differences: those from before the model was nominated,
    by the storage's clock. Later ones have events, and the candidate's gallery follows these like
    the live one's."""
    # S3 tells whole seconds, in listings by rounding down.
    return [look for look in comparison.looks if int(comparison.since[look.key]) <= int(nominated)]


def still_lacking(owed: list[Look]) -> str:
    """What is owed, for a sentence that goes on."""
    names = ", ".join(look.key for look in owed[:_NAMED])
    more = f" and {len(owed) - _NAMED} more" if len(owed) > _NAMED else ""
    return f"the new model's gallery still lacks {names}{more}"


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
        _refuse_overtaken(current, model_id)
        earlier = tuple(m for m in (current.live, *current.previous) if m != model_id)
        return current.model_copy(update={"live": model_id, "candidate": None, "previous": earlier})

    return swap_current(storage, change) or Current(live=model_id)


def _as_it_is(head: Commit) -> Commit | None:
    return head if head.number else None


def _without_history(head: Commit) -> Commit | None:
    return head if head.parent else None


def _refuse_overtaken(current: Current | None, model_id: str) -> None:
    """LensError when another promotion has taken this one's place: its gallery is not filled."""
    if current is not None and model_id not in current.followed:
        other = current.candidate or current.live
        raise LensError(f"{other} became the candidate meanwhile; promote again")


def _refuse_pinned(current: Current) -> None:
    if current.pin is not None:
        raise PinnedError(
            f"searches are pinned to commit {current.pin.commit} of {current.pin.model_id}; "
            "run `lens release` first"
        )

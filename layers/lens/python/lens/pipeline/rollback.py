"""Rollback: pins searches to an earlier commit or model while the galleries go on advancing."""

from __future__ import annotations

from lens.errors import NotFoundError, UsageError
from lens.gallery import retention
from lens.gallery.commits import Commit, commit_key, kept_history
from lens.gallery.condemned import may_be_named
from lens.gallery.current import Current, Pin, read_current, swap_current
from lens.gallery.loading import load_gallery
from lens.storage import Storage
from lens.storage.formats import written_format

_UNDO_SINCE = 2
_UNPINNED = {"pin": None, "undoes_deletions": False}


def rollback(
    storage: Storage,
    *,
    commit: int | None = None,
    model_id: str | None = None,
    undo_deletions: bool = False,
    now: float,
) -> Pin:
    """Pin searches to a commit by number, or to an earlier model's newest one.

    By default it is the commit before the one that is searched now. With `undo_deletions` it shows
    what was removed since because a listing lacked it; what somebody deleted stays hidden. Raises
    NotFoundError when it is not in the kept history, UsageError when its model is too old to know
    what was deleted since.
    """
    if undo_deletions and written_format(storage, now, at_once=True) < _UNDO_SINCE:
        raise UsageError(
            "deletions can be undone an hour after this release has first run: an earlier one may "
            "still answer searches"
        )
    current = _require_current(storage)
    model = model_id or (current.pin.model_id if current.pin else current.live)
    if model not in current.retained or model == current.candidate:
        known = ", ".join(each for each in current.retained if each != current.candidate)
        raise NotFoundError(f"model {model!r} has no kept gallery; there are: {known}")
    commits = list(kept_history(storage, model, now=now))
    chosen = _choose(commits, current, model, commit)
    newest = commits[0]
    too_old = newest.is_empty or newest.created_at < now - retention.PIN
    if model not in current.followed and too_old:
        days = retention.PIN / retention.DAY
        raise UsageError(
            f"model {model} has not followed the catalog for more than {days:.0f} days: what was "
            "deleted since would come back; choose a newer one"
        )
    load_gallery(storage, chosen)  # refuse a commit that cannot be searched
    pin = Pin(model_id=model, commit=chosen.number, commit_id=chosen.id, since=now)

    def put(newest: Current | None) -> Current | None:
        if newest is None or (newest.pin, newest.undoes_deletions) == (pin, undo_deletions):
            return None
        if newest.followed != current.followed:
            raise UsageError("a model was promoted meanwhile; roll back again if you still want to")
        return newest.model_copy(update={"pin": pin, "undoes_deletions": undo_deletions})

    swap_current(storage, put)
    _refuse_removed(storage, chosen, pin)
    return pin


def _refuse_removed(storage: Storage, chosen: Commit, pin: Pin) -> None:
    """Take a pin back whose commit a collector has removed, or is about to: it cannot have known of
    the pin. Asked after the pin is there: a collector that begins later sees it."""
    if may_be_named(storage, [commit_key(chosen.model_id, chosen.name)]):
        return
    swap_current(
        storage, lambda c: c.model_copy(update={"pin": None}) if c and c.pin == pin else None
    )
    raise NotFoundError(f"commit {chosen.number} was removed meanwhile; roll back to a newer one")


def release(storage: Storage) -> Current:
    """End the pin: searches follow the live model's newest commit again."""
    current = _require_current(storage)
    if current.pin is None:
        raise UsageError("nothing is pinned; searches already follow the newest commit")
    released = swap_current(
        storage,
        lambda c: c.model_copy(update=_UNPINNED) if c and c.pin == current.pin else None,
    )
    return released or current


def _require_current(storage: Storage) -> Current:
    current = read_current(storage)
    if current is None:
        raise NotFoundError("nothing has been indexed yet: run `lens index` first")
    return current


def _choose(commits: list[Commit], current: Current, model: str, number: int | None) -> Commit:
    available = ", ".join(str(each.number) for each in reversed(commits)) or "none"
    if number is not None:
        chosen = next((each for each in commits if each.number == number), None)
    elif model != current.live:
        chosen = commits[0] if commits else None
    else:
        searched = current.pin.commit if current.pin else commits[0].number if commits else 0
        chosen = next((each for each in commits if each.number < searched), None)
    if chosen is None:
        wanted = f"commit {number}" if number is not None else "earlier commit"
        raise NotFoundError(f"model {model} has no {wanted}; kept commits: {available}")
    return chosen

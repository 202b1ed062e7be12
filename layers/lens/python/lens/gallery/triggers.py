"""Triggers: what sets a look off, and how soon what was uploaded can be found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lens.measures import Measure, tell
from lens.traces import mark

_NAMED = 20  # in one line of a log; a batch has at most ten


class Trigger(NamedTuple):
    """What set a look off: the id by which every stage's log names it, and when a photo was
    uploaded or removed, in seconds since the epoch; 0.0 where nobody waits for that."""

    id: str = ""
    at: float = 0.0


NONE = Trigger()


def named(triggers: Iterable[Trigger]) -> str:
    """Their ids, as the end of a line of a log."""
    ids = list(dict.fromkeys(each.id for each in triggers if each.id))
    if not ids:
        return ""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f", set off by {', '.join(ids[:_NAMED])}{more}"


def found_now(triggers: Iterable[Trigger], now: float) -> None:
    """Tell how old each upload is at the moment from which it can be found."""
    for each in triggers:
        mark("found", each.id)
        if each.at:
            tell(Measure.FRESHNESS, max(0.0, now - each.at))

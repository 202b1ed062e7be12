"""Waiting: when a photo that could not be read is tried again."""

from __future__ import annotations

from collections.abc import Callable

from lens.gallery.rows import Row

# Whether a photo is tried again, by its waiting row and the time in seconds since the epoch.
Retry = Callable[[Row, float], bool]

_HOUR = 3_600.0
_DAY = 24


def always(row: Row, now: float) -> bool:
    """Somebody asks for it, who may have mended what ailed it."""
    return True


def never(row: Row, now: float) -> bool:
    """A promotion does not wait for what waits."""
    return False


def with_growing_pauses(row: Row, now: float) -> bool:
    """In the first two hours, then after 2, 4, 8 and 16 hours, and then once a day; for
    comparisons that come every hour."""
    hours = max(0, int((now - row.looked_at) // _HOUR))
    return hours % _DAY == 0 if hours >= _DAY else hours & (hours - 1) == 0

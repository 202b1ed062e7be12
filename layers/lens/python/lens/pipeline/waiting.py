"""Waiting: when a photo that could not be read is tried again, and when it is not the photos that
fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from lens.errors import StorageError
from lens.gallery.rows import Row

# Whether a photo is tried again, by its waiting row and the time in seconds since the epoch.
Retry = Callable[[Row, float], bool]

_HOUR = 3_600.0
_DAY = 24
# Of the last so many photos a tenth may be unreadable. With fewer than that nobody can tell.
_WINDOW, _SHARE, _FEWEST = 400, 0.1, 20


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


class Readings:
    """What became of the last photos that this process read."""

    def __init__(self) -> None:
        self._unreadable: deque[bool] = deque(maxlen=_WINDOW)

    def add(self, read: int, reasons: Sequence[str]) -> None:
        """So many were read, and for these reasons others could not be.

        Raises StorageError when those are too many: a permission is missing, or a disk fails, and
        what cannot be read says nothing of the photos.
        """
        self._unreadable.extend([False] * read + [True] * len(reasons))
        known, unreadable = len(self._unreadable), sum(self._unreadable)
        if reasons and known >= _FEWEST and unreadable >= _SHARE * known:
            raise StorageError(
                f"{unreadable} of the last {known} photos cannot be read, so it is not the photos: "
                f"{reasons[-1]}"
            )

"""Readings: how many of the last photos could be read, and when it is not the photos that fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from lens.errors import StorageError

# Of the last so many photos a tenth may be unreadable. With fewer than that nobody can tell.
_WINDOW, _SHARE, _FEWEST = 400, 0.1, 20


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

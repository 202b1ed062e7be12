"""Right of way: work in the background waits while somebody waits for an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# A page asks for its thumbnails, or a client for the next search, right after an answer.
_LINGER_SECONDS = 0.05
# However many ask, the background goes on at this pace, or it would never end.
_LONGEST_SECONDS = 0.5


class RightOfWay:
    """Counts the answers under way; used from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way = 0
        self._free_at = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """An answer is under way within the block."""
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._free_at = self._clock() + _LINGER_SECONDS
                self._changed.notify_all()

    def give(self) -> None:
        """Return once no answer is under way and none has just been given, or after half a second:
        to be called between two parts of work that take less than that."""
        with self._changed:
            given_up = self._clock() + _LONGEST_SECONDS
            while (now := self._clock()) < given_up:
                if not self._under_way and now >= self._free_at:
                    return
                until = given_up if self._under_way else min(self._free_at, given_up)
                self._changed.wait(until - now)

"""The pixel budget: how many pixels this process has decoded at one time, whoever asks for them."""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

# As many as the largest photo has: two of that size are decoded one after the other.
PIXELS = 64_000_000
# Photos up to this size do not count, and so never wait for a large one. There are at most as many
# as threads, of some 50 MB each.
UNCOUNTED = 4_000_000


class PixelBudget:
    """Pixels that may be in work at one time; what does not fit waits in the order it came."""

    def __init__(self, pixels: int = PIXELS) -> None:
        self._most = self._room = pixels
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait for room for so many; a photo larger than the whole budget is decoded alone."""
        if pixels <= UNCOUNTED:
            yield
            return
        pixels = min(pixels, self._most)
        self._take(pixels)
        try:
            yield
        finally:
            with self._changed:
                self._room += pixels
                self._changed.notify_all()
            _trim()()

    def _take(self, pixels: int) -> None:
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            try:
                self._changed.wait_for(
                    lambda: self._line[0] is ticket and self._room >= pixels,
                )
                self._room -= pixels
            finally:  # an interruption leaves the line, too
                self._line.remove(ticket)
                self._changed.notify_all()


@cache
def _trim() -> Callable[[], object]:
    """glibc keeps what was freed for later; a server would stay as large as its largest photo."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, which gives it back itself
        return lambda: None
    trim.argtypes = [ctypes.c_size_t]
    return lambda: trim(0)

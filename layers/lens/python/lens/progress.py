"""Progress: how far long work is, told by the work and read by whoever waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Progress = Callable[[int, int], None]  # done, total


@dataclass(frozen=True)
class Done:
    """How far work is; `seconds_left` is None until the first part of it is done."""

    done: int
    total: int
    seconds_left: float | None


LISTING = Done(0, 0, None)  # how much there is to do is being found out


class Underway:
    """Long work of one kind, of which at most one runs; it may be read from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._state: Done | None = None

    def expect(self) -> None:
        """Work is to begin: what there is to do is being found out, until it reports or ends."""
        self._state = LISTING

    @contextmanager
    def work(self, progress: Progress | None = None) -> Iterator[Progress]:
        """Take note of what is reported within the block, and report it to `progress` too."""
        began = last = self._clock()
        before = 0

        def report(done: int, total: int) -> None:
            nonlocal began, last, before
            if done < before:  # another round of the same work
                began = last
            last, before = self._clock(), done
            left = (last - began) / done * (total - done) if done else None
            self._state = Done(done, total, left)
            if progress:
                progress(done, total)

        try:
            yield report
        finally:
            self._state = None

    @property
    def state(self) -> Done | None:
        """How far it is; None while nothing is under way."""
        return self._state

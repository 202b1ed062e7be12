"""Fingers: touches as a touchscreen reports them, which the browser makes scrolls or pinches of."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

from playwright.sync_api import Page

Point = tuple[float, float]

FRAME = 0.016  # seconds between two reports


class Fingers:
    """The fingers on a page. Every report says when it was made, so that a slow machine makes no
    slow finger."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._now = time.time()

    def swipe(self, *path: Point, held: float = 0.0, steps: int = 10) -> None:
        """One finger from point to point; it rests for `held` seconds before it sets off."""
        self._now = max(self._now, time.time())
        self._report("touchStart", path[:1])
        self._now += held
        for begin, end in pairwise(path):
            for step in range(1, steps + 1):
                self._report("touchMove", [_between(begin, end, step / steps)])
        self._report("touchEnd", [])

    def tap(self, point: Point) -> None:
        """One finger down and up."""
        self.swipe(point)

    def pinch(self, begin: tuple[Point, Point], end: tuple[Point, Point], steps: int = 10) -> None:
        """Two fingers, the second a moment after the first."""
        self._now = max(self._now, time.time())
        self._report("touchStart", begin[:1])
        self._report("touchStart", begin)
        for step in range(1, steps + 1):
            share = step / steps
            at = [_between(one, other, share) for one, other in zip(begin, end, strict=True)]
            self._report("touchMove", at)
        self._report("touchEnd", end[:1])
        self._report("touchEnd", [])

    def _report(self, kind: str, points: Sequence[Point]) -> None:
        at = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        self._now += FRAME
        self._devtools.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": at, "timestamp": self._now}
        )


def _between(begin: Point, end: Point, share: float) -> Point:
    return (begin[0] + (end[0] - begin[0]) * share, begin[1] + (end[1] - begin[1]) * share)

"""The pixel budget: so much is in work at one time, in turn, and small photos never wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from lens.photos.pixel_budget import UNCOUNTED, PixelBudget

PART = UNCOUNTED + 1
_ENOUGH = 60  # seconds; only a failure takes as long


class Worker:
    """Takes pixels in a thread of its own, and has them until it is told to leave."""

    def __init__(self, threads: ThreadPoolExecutor, budget: PixelBudget, pixels: int) -> None:
        self.inside, self.leave = threading.Event(), threading.Event()
        self.done: Future[None] = threads.submit(self._work, budget, pixels)

    def _work(self, budget: PixelBudget, pixels: int) -> None:
        with budget.taken(pixels):
            self.inside.set()
            assert self.leave.wait(_ENOUGH)

    def end(self) -> None:
        self.leave.set()
        self.done.result(_ENOUGH)


@pytest.fixture
def work() -> Callable[[PixelBudget, int], Worker]:
    threads = ThreadPoolExecutor(8)
    return lambda budget, pixels: Worker(threads, budget, pixels)


def test_what_fits_is_in_work_at_one_time_and_the_rest_waits(
    work: Callable[[PixelBudget, int], Worker],
) -> None:
    budget = PixelBudget(2 * PART)
    first, second = work(budget, PART), work(budget, PART)
    assert first.inside.wait(_ENOUGH) and second.inside.wait(_ENOUGH)
    third = work(budget, PART)
    assert not third.inside.wait(0.05)
    first.end()
    assert third.inside.wait(_ENOUGH)
    second.end()
    third.end()


def test_a_photo_of_more_than_all_is_decoded_alone(
    work: Callable[[PixelBudget, int], Worker],
) -> None:
    budget = PixelBudget(2 * PART)
    small = work(budget, PART)
    assert small.inside.wait(_ENOUGH)
    huge = work(budget, 100 * PART)
    assert not huge.inside.wait(0.05)
    small.end()
    assert huge.inside.wait(_ENOUGH)
    huge.end()


def test_a_large_photo_is_not_overtaken_for_ever(
    work: Callable[[PixelBudget, int], Worker],
) -> None:
    budget = PixelBudget(2 * PART)
    first = work(budget, PART)
    assert first.inside.wait(_ENOUGH)
    large = work(budget, 2 * PART)
    while not budget._line:
        time.sleep(0.01)
    later = work(budget, PART)  # would fit
    assert not later.inside.wait(0.05)
    first.end()
    assert large.inside.wait(_ENOUGH) and not later.inside.is_set()
    large.end()
    assert later.inside.wait(_ENOUGH)
    later.end()


def test_a_photo_as_the_page_sends_it_never_waits(
    work: Callable[[PixelBudget, int], Worker],
) -> None:
    budget = PixelBudget(PART)
    large = work(budget, PART)
    assert large.inside.wait(_ENOUGH)
    with budget.taken(UNCOUNTED):
        pass
    large.end()


def test_a_photo_that_cannot_be_decoded_gives_its_place_back() -> None:
    budget = PixelBudget(PART)
    for _ in range(3):
        with pytest.raises(ValueError), budget.taken(PART):
            raise ValueError

"""Right of way: the background waits for answers, and never for ever."""

from __future__ import annotations

import threading
import time

import pytest

from lens.right_of_way import RightOfWay
from tests.support.clock import Clock


def _given(way: RightOfWay) -> threading.Thread:
    """A thread that ends once the way was given."""
    thread = threading.Thread(target=way.give, daemon=True)
    thread.start()
    return thread


def test_where_nobody_asks_nothing_waits() -> None:
    RightOfWay(Clock()).give()  # this clock stands still: to wait would be for ever


@pytest.mark.parametrize("answers", [1, 2])
def test_work_waits_until_the_last_answer_is_given(answers: int) -> None:
    clock = Clock()
    way = RightOfWay(clock)
    under_way = [way.taken() for _ in range(answers)]
    for each in under_way:
        each.__enter__()
    work = _given(way)
    for each in under_way:
        work.join(0.1)
        assert work.is_alive()
        each.__exit__(None, None, None)
    work.join(0.1)
    assert work.is_alive(), "a page asks for its thumbnails right after an answer"
    clock.now += 0.1
    work.join(30)
    assert not work.is_alive()


def test_an_answer_that_fails_is_given_too() -> None:
    clock = Clock()
    way = RightOfWay(clock)
    with pytest.raises(ValueError, match="no photo"), way.taken():
        raise ValueError("no photo")
    clock.now += 0.1
    way.give()


def test_however_many_ask_the_work_goes_on() -> None:
    way = RightOfWay()
    with way.taken():
        began = time.monotonic()
        way.give()
        assert time.monotonic() - began >= 0.5

"""Progress: what is under way is told to whoever asks, with the time that is left."""

from __future__ import annotations

import pytest

from lens.progress import LISTING, Done, Underway
from tests.support.clock import Clock


def test_nothing_is_under_way_before_and_after() -> None:
    underway = Underway()
    assert underway.state is None
    with underway.work() as report:
        report(1, 2)
        assert underway.state is not None
    assert underway.state is None


def test_work_that_is_expected_is_listing_until_it_reports_or_ends() -> None:
    underway = Underway()
    underway.expect()
    assert underway.state is LISTING
    with underway.work() as report:
        assert underway.state is LISTING
        report(1, 2)
        assert underway.state is not LISTING
    assert underway.state is None
    underway.expect()
    with underway.work():
        pass
    assert underway.state is None


def test_the_time_left_is_told_from_what_was_done() -> None:
    clock = Clock(100.0)
    underway = Underway(clock)
    with underway.work() as report:
        report(0, 100)
        assert underway.state == Done(0, 100, None)
        clock.now += 10
        report(25, 100)
        assert underway.state == Done(25, 100, 30.0)
        clock.now += 10
        report(4, 8)  # a second round of the same work
        assert underway.state == Done(4, 8, 10.0)


def test_what_is_reported_goes_on_to_the_bar() -> None:
    told: list[tuple[int, int]] = []
    with Underway().work(lambda done, total: told.append((done, total))) as report:
        report(1, 2)
    assert told == [(1, 2)]


def _fail(underway: Underway) -> None:
    with underway.work() as report:
        report(1, 2)
        raise ValueError


def test_work_that_fails_is_not_under_way_any_more() -> None:
    underway = Underway()
    with pytest.raises(ValueError):
        _fail(underway)
    assert underway.state is None

"""Retention: the times and numbers are those that the documentation promises."""

from __future__ import annotations

from pathlib import Path

from lens.gallery import retention
from lens.gallery.retention import DAY, GRACE, PIN, SEGMENT, TAIL, TOMBSTONE

OPERATIONS = (Path(__file__).parents[3] / "docs/operations.md").read_text()
# An event's longest: in its queue, and in the dead-letter queue.
QUEUES = 28 * DAY


def test_the_times_are_those_that_owners_are_told() -> None:
    days = [seconds / 86_400 for seconds in (SEGMENT, GRACE, TAIL, PIN, TOMBSTONE)]
    assert days == [0.5, 1, 1, 28, 30]
    assert f"{TAIL / DAY:.0f} until a fold is due" in OPERATIONS
    assert f"the grace, {GRACE / DAY:.0f}," in OPERATIONS
    assert f"A commit is kept for {PIN / DAY:.0f} days after its successor" in OPERATIONS


def test_the_numbers_are_those_that_owners_are_told() -> None:
    assert f"The galleries of the last {retention.MODELS} live models are kept" in OPERATIONS


def test_a_tombstone_outlives_all_that_could_bring_its_photo_back() -> None:
    assert SEGMENT < GRACE
    assert QUEUES + SEGMENT + GRACE < TOMBSTONE
    assert PIN + GRACE < TOMBSTONE

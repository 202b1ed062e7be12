"""Waiting: the pauses between tries."""

from __future__ import annotations

from lens.gallery.rows import Kind, Row
from lens.gallery.versions import Version
from lens.pipeline.waiting import always, never, with_growing_pauses

ROW = Row("a.png", Version("1"), Kind.WAITING, 100.0, reason="locked")


def test_pauses_grow_to_a_day() -> None:
    tried = [hour for hour in range(100) if with_growing_pauses(ROW, 100.0 + 3_600 * hour)]
    assert tried == [0, 1, 2, 4, 8, 16, 24, 48, 72, 96]
    assert with_growing_pauses(ROW, 0.0), "a clock that was set back tries"


def test_who_asks_is_answered_and_a_promotion_never_waits() -> None:
    assert always(ROW, 0.0)
    assert not never(ROW, 1e9)

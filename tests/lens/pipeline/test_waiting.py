"""Waiting: the pauses between tries, and when what fails is not the photos."""

from __future__ import annotations

import pytest

from lens.errors import StorageError
from lens.gallery.rows import Kind, Row
from lens.gallery.versions import Version
from lens.pipeline.waiting import Readings, always, never, with_growing_pauses

ROW = Row("a.png", Version("1"), Kind.WAITING, 100.0, reason="locked")


def test_pauses_grow_to_a_day() -> None:
    tried = [hour for hour in range(100) if with_growing_pauses(ROW, 100.0 + 3_600 * hour)]
    assert tried == [0, 1, 2, 4, 8, 16, 24, 48, 72, 96]
    assert with_growing_pauses(ROW, 0.0), "a clock that was set back tries"


def test_who_asks_is_answered_and_a_promotion_never_waits() -> None:
    assert always(ROW, 0.0)
    assert not never(ROW, 1e9)


def test_one_unreadable_photo_among_ten_is_that_photo() -> None:
    readings = Readings()
    readings.add(9, ["locked"])
    readings.add(0, ["a few photos tell nothing"])


def test_a_tenth_of_many_is_not_the_photos() -> None:
    readings = Readings()
    readings.add(90, ["locked"] * 9)
    with pytest.raises(StorageError, match=r"10 of the last 100 photos cannot be read.*denied"):
        readings.add(0, ["denied"])


def test_what_was_long_ago_is_forgotten() -> None:
    readings = Readings()
    with pytest.raises(StorageError):
        readings.add(0, ["denied"] * 30)
    readings.add(400, [])
    readings.add(0, ["locked"])

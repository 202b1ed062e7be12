"""Readings: when what fails is not the photos."""

from __future__ import annotations

import pytest

from lens.errors import StorageError
from lens.pipeline.readings import Readings


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

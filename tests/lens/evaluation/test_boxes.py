"""Boxes: overlaps worked out by hand."""

from __future__ import annotations

import pytest

from lens.evaluation.boxes import WHOLE, fractions, overlap


def test_overlap_is_the_intersection_over_the_union() -> None:
    left, right = (0.0, 0.0, 0.6, 1.0), (0.4, 0.0, 1.0, 1.0)
    assert overlap(left, right) == pytest.approx(0.2 / 1.0)
    assert overlap(left, left) == 1.0
    assert overlap(WHOLE, (0.25, 0.25, 0.75, 0.75)) == pytest.approx(0.25)


def test_boxes_that_do_not_meet_or_are_empty_overlap_in_nothing() -> None:
    assert overlap((0.0, 0.0, 0.2, 0.2), (0.5, 0.5, 0.9, 0.9)) == 0.0
    assert overlap((0.5, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)) == 0.0


def test_a_box_in_pixels_becomes_fractions_of_its_photo() -> None:
    assert fractions((10, 20, 50, 100), (100, 200)) == (0.1, 0.1, 0.5, 0.5)

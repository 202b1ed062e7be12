"""Boxes: fractions worked out by hand."""

from __future__ import annotations

from lens.evaluation.boxes import fractions


def test_a_box_in_pixels_becomes_fractions_of_its_photo() -> None:
    assert fractions((10, 20, 50, 100), (100, 200)) == (0.1, 0.1, 0.5, 0.5)

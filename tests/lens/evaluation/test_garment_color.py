"""Garment color: of drawn photos whose garment's color is known."""

from __future__ import annotations

import numpy as np
import pytest

from lens.evaluation.color_difference import lab_of
from lens.evaluation.garment_color import color_in_center, color_on_backdrop

RED, BLUE, GREEN = (190, 20, 30), (20, 40, 160), (30, 140, 60)


def _lab(color: tuple[int, int, int]) -> list[float]:
    found: list[float] = lab_of(np.array(color, np.uint8)).tolist()
    return found


def test_a_backdrop_is_not_the_garment_s_color() -> None:
    photo = np.full((60, 40, 3), 255, np.uint8)
    photo[20:40, 10:30] = RED
    assert color_on_backdrop(photo) == pytest.approx(_lab(RED))


def test_what_a_photo_s_center_has_more_of_is_its_garment() -> None:
    photo = np.full((90, 60, 3), GREEN, np.uint8)
    photo[20:70, 15:45] = BLUE
    photo[40:44, 25:35] = RED  # a small print
    assert color_in_center(photo) == pytest.approx(_lab(BLUE))


def test_a_garment_that_fills_the_photo_has_its_color() -> None:
    assert color_in_center(np.full((50, 50, 3), RED, np.uint8)) == pytest.approx(_lab(RED))


def test_a_white_photo_is_white() -> None:
    assert color_on_backdrop(np.full((50, 50, 3), 255, np.uint8)) == pytest.approx([100, 0, 0])

"""Covering: chosen places get the mean color of the part, and nothing else changes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lens.models.covering import covered, part_of


def test_a_part_is_cut_out_with_its_margin() -> None:
    image = Image.new("RGB", (100, 100))
    assert part_of(image, None) is image
    assert part_of(image, (0.2, 0.2, 0.6, 0.8)).size == (44, 66)


def test_covered_places_get_the_mean_color_and_the_others_stay() -> None:
    part = Image.new("RGB", (40, 80), "white")
    part.paste("black", (0, 0, 40, 40))
    chosen = np.zeros((4, 2), bool)
    chosen[3, 1] = True
    copy = covered(part, chosen)
    assert {copy.getpixel(place) for place in ((21, 61), (39, 79))} <= {(127,) * 3, (128,) * 3}
    assert [copy.getpixel(place) for place in ((19, 79), (39, 59))] == [(255, 255, 255)] * 2
    assert part.getpixel((39, 79)) == (255, 255, 255)

"""Backdrop: the mask of drawn garments, and against a flood that goes pixel by pixel."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lens.evaluation.backdrop import Mask, garment_mask, opened


def _photo(height: int = 40, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def _flood_by_pixels(white: Mask) -> Mask:
    height, width = white.shape
    rim = [(y, x) for y in range(height) for x in range(width) if _on_rim(y, x, height, width)]
    waiting = [place for place in rim if white[place]]
    reached = np.zeros_like(white)
    while waiting:
        y, x = waiting.pop()
        if 0 <= y < height and 0 <= x < width and white[y, x] and not reached[y, x]:
            reached[y, x] = True
            waiting += [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    return reached


def _on_rim(y: int, x: int, height: int, width: int) -> bool:
    return y in {0, height - 1} or x in {0, width - 1}


def test_white_around_a_garment_is_backdrop_and_white_inside_it_is_not() -> None:
    photo = _photo()
    photo[10:30, 5:25] = (200, 30, 30)
    photo[15:20, 10:15] = 255
    mask = garment_mask(photo)
    assert mask[10:30, 5:25].sum() == 20 * 20 - 4  # the cross rounds the corners
    assert mask.sum() == 20 * 20 - 4


def test_a_garment_that_touches_the_frame_stays_on_it() -> None:
    photo = _photo()
    photo[10:, 5:25] = (30, 30, 30)
    assert garment_mask(photo)[39, 6:24].all()


def test_single_specks_are_no_garment() -> None:
    photo = _photo()
    photo[5, 5] = photo[30, 20] = 0
    assert not garment_mask(photo).any()


def test_of_a_photo_without_a_backdrop_all_is_garment() -> None:
    assert garment_mask(np.full((20, 20, 3), 90, np.uint8))[1:-1, 1:-1].all()


@settings(max_examples=60)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_the_backdrop_is_what_a_flood_from_the_edges_reaches(white: Mask) -> None:
    photo = np.where(white[..., None], 250, 100).astype(np.uint8).repeat(3, axis=2)
    assert np.array_equal(garment_mask(photo), opened(~_flood_by_pixels(white)))


def test_a_winding_way_of_white_is_followed_to_its_end() -> None:
    white = np.zeros((21, 21), bool)
    white[1::4] = white[3::4] = True
    white[:, 1] = white[:, 19] = False
    for number, row in enumerate(range(2, 20, 2)):
        white[row, 19 if number % 2 else 1] = True
    for row in range(1, 21, 2):
        white[row, 1:20] = True
    white[0, 1] = True
    photo = np.where(white[..., None], 255, 0).astype(np.uint8).repeat(3, axis=2)
    assert np.array_equal(garment_mask(photo), opened(~_flood_by_pixels(white)))
    assert _flood_by_pixels(white)[19, 10]

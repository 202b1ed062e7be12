"""Garment color: the color that a photo's garment mostly has, told without any model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lens.evaluation.backdrop import garment_mask
from lens.evaluation.boxes import WHOLE
from lens.evaluation.color_difference import Floats, lab_of
from lens.models.regions import Box

# Of the photo's pixels: with fewer there is no garment to speak of, and all of them count.
_FEWEST = 0.01
_CENTER = 0.5  # of the box's sides: surely garment, mostly
_RING = 0.08  # of the frame's sides: surely surroundings, when the box is the whole photo
_BINS = 8  # a channel
_LEVELS = 256


def color_on_backdrop(pixels: NDArray[np.uint8]) -> Floats:
    """(3,) CIELAB of a shop's photo, (H, W, 3) uint8: the median of what is no backdrop."""
    return _median(pixels, garment_mask(pixels))


def color_in_box(pixels: NDArray[np.uint8], box: Box | None) -> Floats:
    """(3,) CIELAB of a shopper's photo, (H, W, 3) uint8: the median of the garment in its box.

    Of the box, those colors count that its center has more of than its surroundings have (by
    histograms): a pale floor in a box's corners is not the garment's color. `box` None is the
    whole photo, whose surroundings are its rim.
    """
    inside = _box_mask(pixels, box or WHOLE)
    around = ~inside
    if around.mean() < _FEWEST:
        around = ~_box_mask(pixels, (_RING, _RING, 1 - _RING, 1 - _RING))
    center = _box_mask(pixels, _shrunk(box or WHOLE))
    bins = (pixels.astype(np.int64) * _BINS // _LEVELS) @ np.array([_BINS**2, _BINS, 1])
    more = _shares(bins[center]) > _shares(bins[around])
    return _median(pixels, inside & more[bins])


def _median(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Floats:
    """Channel by channel, which a print or a sleeve of skin does not move as it moves a mean."""
    chosen = pixels[mask] if mask.mean() >= _FEWEST else pixels.reshape(-1, 3)
    median: Floats = np.median(lab_of(chosen), axis=0)
    return median


def _shares(bins: NDArray[np.int64]) -> Floats:
    counts = np.bincount(bins, minlength=_BINS**3)
    return counts / max(len(bins), 1)


def _shrunk(box: Box) -> Box:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    across, down = (_CENTER * (box[2] - box[0]) / 2, _CENTER * (box[3] - box[1]) / 2)
    return x - across, y - down, x + across, y + down


def _box_mask(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), bool)
    left, right = round(box[0] * width), round(box[2] * width)
    top, bottom = round(box[1] * height), round(box[3] * height)
    mask[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    return mask

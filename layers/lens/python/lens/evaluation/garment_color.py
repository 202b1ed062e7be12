"""Garment color: the color that a photo's garment mostly has, told without any model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lens.evaluation.backdrop import garment_mask
from lens.evaluation.color_difference import Floats, lab_of

_FEWEST = 0.01  # of the photo's pixels: of fewer nothing is told, and all of them count
_CENTER = 0.5  # of the photo's sides: mostly garment
_RIM = 0.08  # of the photo's sides: mostly what it lies on
_BINS = 8  # a channel
_LEVELS = 256


def color_on_backdrop(pixels: NDArray[np.uint8]) -> Floats:
    """(3,) CIELAB of a shop's photo, (H, W, 3) uint8: the median of what is no backdrop."""
    return _median(pixels, garment_mask(pixels))


def color_in_center(pixels: NDArray[np.uint8]) -> Floats:
    """(3,) CIELAB of a shopper's photo of one garment, (H, W, 3) uint8: its median.

    Those colors are the garment's that the photo's center has more of than its rim has, by
    histograms. No model's box is asked, so that all models are held against the same color.
    """
    rim = ~_central(pixels, 1 - 2 * _RIM)
    center = _central(pixels, _CENTER)
    bins = (pixels.astype(np.int64) * _BINS // _LEVELS) @ np.array([_BINS**2, _BINS, 1])
    more = _shares(bins[center]) > _shares(bins[rim])
    return _median(pixels, more[bins])


def _median(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Floats:
    """Channel by channel, which a print or a sleeve of skin does not move as it moves a mean."""
    chosen = pixels[mask] if mask.mean() >= _FEWEST else pixels.reshape(-1, 3)
    median: Floats = np.median(lab_of(chosen), axis=0)
    return median


def _shares(bins: NDArray[np.int64]) -> Floats:
    counts = np.bincount(bins, minlength=_BINS**3)
    return counts / max(len(bins), 1)


def _central(pixels: NDArray[np.uint8], share: float) -> NDArray[np.bool_]:
    """The middle of a photo, this share of its sides."""
    height, width = pixels.shape[:2]
    down, across = (round(side * (1 - share) / 2) for side in (height, width))
    mask = np.zeros((height, width), bool)
    mask[down : max(height - down, down + 1), across : max(width - across, across + 1)] = True
    return mask

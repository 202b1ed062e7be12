"""Backdrop: which pixels of a shop's photo show the garment, and which its white backdrop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

# Of the darkest channel. Shadows that a backdrop keeps are lighter than nearly every garment.
_WHITE = 236


def garment_mask(pixels: NDArray[np.uint8]) -> Mask:
    """(H, W) bool: all that white does not lead to from the photo's edges, without single specks.

    pixels: (H, W, 3) uint8 RGB. White inside a garment stays the garment's. Of a photo without a
    backdrop, a close-up say, the mask is the whole photo. Whoever wears the garment is in it too.
    """
    return opened(~_reached_from_the_edges(pixels.min(axis=2) >= _WHITE))


def opened(mask: Mask) -> Mask:
    """The mask without what is narrower than three pixels, seen from all four sides: Serra's
    opening by a cross (Image Analysis and Mathematical Morphology, 1982)."""
    return _grown(~_grown(~mask, edge=True))


def _grown(mask: Mask, edge: bool = False) -> Mask:
    """The mask and each pixel's four neighbors; `edge`: what lies beyond the frame."""
    padded = np.pad(mask, 1, constant_values=edge)
    return mask | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]


def _reached_from_the_edges(white: Mask) -> Mask:
    """The white pixels that a way of white pixels, each beside the one before, leads to."""
    reached = np.zeros_like(white)
    reached[[0, -1]] = white[[0, -1]]
    reached[:, [0, -1]] = white[:, [0, -1]]
    rows, columns = _runs(white), _runs(white.T)
    before = -1
    while before < (before := int(reached.sum())):
        reached = _whole_runs(rows, reached)
        reached = _whole_runs(columns, reached.T).T
    return reached


def _runs(white: Mask) -> NDArray[np.int64]:
    """Of each white pixel, the number of the run of its row that it is in; 0 elsewhere."""
    starts = white & ~np.pad(white, ((0, 0), (1, 0)))[:, :-1]
    return np.where(white, np.cumsum(starts).reshape(white.shape), 0)


def _whole_runs(runs: NDArray[np.int64], reached: Mask) -> Mask:
    """Every run of which one pixel is reached: whole rows at a time, where a flood goes by one."""
    hit = np.zeros(int(runs.max()) + 1, bool)
    hit[runs[reached]] = True
    hit[0] = False
    whole: Mask = hit[runs]
    return whole

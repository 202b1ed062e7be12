"""Flat garments: box and mask of a shopper's photo, by what stands out in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.garment.labels import Box

# Points of the pose, by MediaPipe's numbers: the nose and the shoulders.
_SEEN = [0, 11, 12]
_SURELY_SEEN = 0.9
# Gray levels of the saliency: below the first and above the second the teacher is sure.
_SURELY_NOT, _SURELY = 40, 215
_DECIDED = 128


@dataclass(frozen=True)
class Flat:
    """A garment that lies or hangs alone: what stands out, (H, W) uint8, and its box in pixels."""

    mask: NDArray[np.uint8]
    box: Box


def is_worn(landmarks: NDArray[np.float32] | None) -> bool:
    """Whether somebody is in the photo, by the (33, 3) landmarks of teachers.Pose: what stands
    out is then a person and not a garment."""
    return landmarks is not None and float(landmarks[_SEEN, 2].min()) > _SURELY_SEEN


def label_flat(saliency: NDArray[np.uint8]) -> Flat | None:
    """Label a photo by its saliency, (H, W) uint8; None where the teacher is in doubt, or where
    what stands out is nearly nothing, nearly all, or cut by most sides of the frame."""
    found = saliency > _DECIDED
    sure = ((saliency < _SURELY_NOT) | (saliency > _SURELY)).mean()
    if not 0.03 < found.mean() < 0.85 or sure <= 0.9:
        return None
    sides = (found[0], found[-1], found[:, 0], found[:, -1])
    if sum(side.mean() > 0.25 for side in sides) > 2:
        return None
    pieces, _ = ndimage.label(found)
    sizes = np.bincount(pieces.ravel())[1:]
    # A pair of shoes is two pieces; a crumb is none.
    kept = np.isin(pieces, 1 + np.flatnonzero(sizes >= 0.12 * sizes.max()))
    rows, columns = np.nonzero(kept)
    box = (float(columns.min()), float(rows.min()), columns.max() + 1.0, rows.max() + 1.0)
    return Flat(saliency, (box[0], box[1], float(box[2]), float(box[3])))

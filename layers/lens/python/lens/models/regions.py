"""Regions: the garments that a network sees in a photo, and the one rule that picks the main one.

The rule holds for both sides, catalog and query, so that a garment's two photos are cut alike.
Boxes are x0, y0, x1, y1 as fractions of the upright photo's width and height.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
RegionKind = Literal["upper", "lower", "one_piece", "shoes", "hat"]
REGION_KINDS: tuple[RegionKind, ...] = get_args(RegionKind)  # in the order of a network's scores

_WORN = ("upper", "lower", "one_piece")

MOST_REGIONS = 8
LEAST_CONFIDENCE = 0.1  # of what is told
MAIN_CONFIDENCE = 0.3  # of what is cut out unasked
NEARLY_WHOLE = 0.9  # share of the photo from which cutting out gains nothing
TINY = 0.02  # share of the photo below which a box is more likely a mistake
MARGIN = 0.05  # of a box's sides, added all around before it is cut out
# Above this intersection over union, the less sure of two boxes is a repetition: of one kind, and
# of two kinds, where a long top and a dress may really lie in one box.
SAME_KIND_OVERLAP = 0.5
ANY_KIND_OVERLAP = 0.8

SMALLEST_SIDE = 0.02  # of a box that can be asked for
# A box is rounded to this many decimals, far below a pixel: one that a page sends back is the same.
_DECIMALS = 4


@dataclass(frozen=True)
class Region:
    """One garment seen in a photo; `confidence` is 0 to 1."""

    box: Box
    confidence: float
    kind: RegionKind


def regions_of(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], photo_size: tuple[int, int]
) -> tuple[Region, ...]:
    """The garments in a photo of this width and height, the surest first, none told twice.

    boxes: (C, 4) float32, fractions of the padded square that the network saw; scores: (C, T)
    float32, 0 to 1, by cell and by kind in the order of REGION_KINDS.
    """
    of_photo = _from_square(boxes, photo_size)
    sides = of_photo[:, 2:] - of_photo[:, :2]
    sound = np.isfinite(boxes).all(axis=1) & (sides >= SMALLEST_SIDE).all(axis=1)
    cells, kinds = np.nonzero((scores >= LEAST_CONFIDENCE) & sound.reshape(-1, 1))
    confidences = scores[cells, kinds]
    left = np.argsort(-confidences, kind="stable")
    regions: list[Region] = []
    while len(left) and len(regions) < MOST_REGIONS:
        best = left[0]
        box = of_photo[cells[best]]
        regions.append(
            Region(_box(box.tolist()), float(confidences[best]), REGION_KINDS[kinds[best]])
        )
        same = kinds[left] == kinds[best]
        most = np.where(same, SAME_KIND_OVERLAP, ANY_KIND_OVERLAP)
        left = left[_overlaps(box, of_photo[cells[left]]) <= most]
    return tuple(regions)


def main_region(regions: Sequence[Region]) -> Region | None:
    """The region that stands for its photo, in the catalog and in a query; None: the whole does.

    It is the largest of the sure ones, in measure (docs/experiments.md): whoever photographs a
    shirt shows the trousers' waist too, and both are sure. Shoes and hats stand behind what covers
    a body. The whole stands for itself where nothing is sure, or hardly smaller than the photo.
    """
    sure = [r for r in regions if r.confidence >= MAIN_CONFIDENCE and _area(r.box) >= TINY]
    if not sure:
        return None
    main = max(sure, key=lambda r: (r.kind in _WORN, r.confidence * math.sqrt(_area(r.box))))
    return main if _area(main.box) < NEARLY_WHOLE else None


def _area(box: Box) -> float:
    x0, y0, x1, y1 = box
    return (x1 - x0) * (y1 - y0)


def rounded(box: Box) -> Box:
    """A box as regions have it, so that equal boxes have equal numbers."""
    return _box(box)


def large_enough(box: Box) -> bool:
    """Whether a rounded box has the least sides that can be asked for."""
    x0, y0, x1, y1 = box
    return round(min(x1 - x0, y1 - y0), _DECIMALS) >= SMALLEST_SIDE


def pixels_of(box: Box, photo_size: tuple[int, int]) -> tuple[int, int, int, int]:
    """What is cut out of a photo of this width and height for a box: left, top, right, bottom in
    pixels, with the margin, at least one pixel."""
    x0, y0, x1, y1 = box
    across, down = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
    left, right = _span(x0 - across, x1 + across, photo_size[0])
    top, bottom = _span(y0 - down, y1 + down, photo_size[1])
    return left, top, right, bottom


def _span(start: float, end: float, side: int) -> tuple[int, int]:
    first = min(max(round(start * side), 0), side - 1)
    return first, max(min(round(end * side), side), first + 1)


def _from_square(boxes: NDArray[np.float32], photo_size: tuple[int, int]) -> NDArray[np.float64]:
    """Boxes of the padded square, which has the photo in its middle, as boxes of the photo."""
    width, height = photo_size
    longest = max(photo_size)
    scale = np.array([longest / width, longest / height] * 2)
    of_photo: NDArray[np.float64] = (boxes.astype(np.float64) - 0.5) * scale + 0.5
    return of_photo.clip(0.0, 1.0)


def overlap(box: Box, other: Box) -> float:
    """Intersection over union, 0 to 1; of two empty boxes 0."""
    return float(_overlaps(np.array(box), np.array([other]))[0])


def _overlaps(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of a box with each of the others, (N, 4)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.maximum(sides, 0.0), axis=1)
    area = np.prod(box[2:] - box[:2])
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    union = np.maximum(area + areas - shared, np.finfo(np.float64).tiny)
    overlaps: NDArray[np.float64] = shared / union
    return overlaps


def _box(numbers: Sequence[float]) -> Box:
    x0, y0, x1, y1 = (round(number, _DECIMALS) for number in numbers)
    return x0, y0, x1, y1

"""Labels: what is known of a training photo, its garments' boxes and mask, its kind, its item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.models.regions import REGION_KINDS, RegionKind

# The garments that get a box, in the order of the network's scores.
Place = RegionKind
PLACES = REGION_KINDS
# Kinds of garments as shoppers' photos are labeled, and which of them a catalog's categories admit:
# the categories overlap, so a photo of a catalog has a set of kinds, not one.
KINDS = (
    "dress",
    "hat",
    "longsleeve",
    "outwear",
    "pants",
    "shirt",
    "shoes",
    "shorts",
    "skirt",
    "t-shirt",
)

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of `Labeled.image`


@dataclass(frozen=True, eq=False)
class Labeled:
    """A training photo.

    image: (H, W, 3) uint8. mask: (H, W) uint8, 255 where the main garment is, or None.
    cut_out: (H, W) uint8, 255 for all that is not backdrop: a garment, or a person who wears it.
    places: each labeled garment's place and box, the main one first; none for a photo whose
    garment fills the frame. unsure: places that may be in the photo unlabeled.
    kinds: which of KINDS it can be; all False when nothing is known. item, color: of a catalog's
    photo, -1 for a shopper's.
    """

    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None
    cut_out: NDArray[np.uint8] | None
    places: tuple[tuple[int, Box], ...]
    unsure: frozenset[int]
    kinds: NDArray[np.bool_]
    item: int = -1
    color: int = -1
    worn: bool = False

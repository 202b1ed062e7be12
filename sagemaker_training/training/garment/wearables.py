"""Wearables: what a shop's category, or the label of a shopper's photo, says about the garment.

The table knows the categories of the storefront catalog and the labels of the clothing dataset. A
photo of another category or label is not trained on, except to tell items apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.photos.catalog import category
from training.garment.labels import KINDS, Place


@dataclass(frozen=True)
class Wearable:
    """The place of a garment, one of PLACES, or None for what is not worn so; the kinds that it
    can be of."""

    place: Place | None
    kinds: frozenset[str] = frozenset()


UNKNOWN = Wearable(None)


def wearable_of(key: str) -> Wearable:
    """What the category of a catalog's photo says; UNKNOWN for one that is not in the table."""
    return _CATEGORIES.get(category(key).rpartition("/")[2], UNKNOWN)


def labeled_wearable(label: str) -> Wearable | None:
    """What the label of a shopper's photo says; None for one that is not trained on."""
    return _LABELS.get(label)


def admissible(kinds: Iterable[str]) -> NDArray[np.bool_]:
    """(KINDS,) bool: which kinds these are."""
    chosen = frozenset(kinds)
    return np.array([kind in chosen for kind in KINDS])


def _wearables(place: Place, kinds: dict[str, str]) -> dict[str, Wearable]:
    return {name: Wearable(place, frozenset(of.split())) for name, of in kinds.items()}


# By the last part of a category. A category holds several kinds: Tops are long sleeves, shirts and
# T-shirts. What the kind of a bra is, no label of a shopper's photo says.
_CATEGORIES = {
    **_wearables(
        "upper",
        {
            "Bras": "",
            "Hoodies": "longsleeve outwear",
            "Jackets": "outwear",
            "Sweaters": "longsleeve outwear shirt",
            "Tanks": "t-shirt",
            "Tees": "longsleeve shirt t-shirt",
            "Tops": "longsleeve shirt t-shirt",
        },
    ),
    **_wearables("lower", {"Pants": "pants", "Shorts": "shorts", "Skirts": "skirt"}),
    **_wearables("one_piece", {"Dresses": "dress"}),
}

_LABELS = {
    **_wearables(
        "upper",
        {
            "blazer": "outwear",
            "blouse": "longsleeve shirt t-shirt",
            "hoodie": "longsleeve outwear",
            "longsleeve": "longsleeve",
            "outwear": "outwear",
            "polo": "longsleeve t-shirt",
            "shirt": "shirt",
            "t-shirt": "t-shirt",
            "top": "t-shirt",
            "undershirt": "t-shirt",
        },
    ),
    **_wearables("lower", {"pants": "pants", "shorts": "shorts", "skirt": "skirt"}),
    **_wearables("one_piece", {"dress": "dress"}),
    **_wearables("shoes", {"shoes": "shoes"}),
    **_wearables("hat", {"hat": "hat"}),
}

"""Grouping: each item once, by its most similar photo, and what is sold out where the shop wants
it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lens.feed.filter import Filter
from lens.gallery.gallery import Gallery, Match
from lens.gallery.selection import Selection
from lens.search.products import item_sold, sold_as

Group = Literal["photo", "item"]
SoldOut = Literal["last", "hide", "keep"]
# Of each item about so many photos are among the nearest.
_PHOTOS_OF_ITEM = 4


def nearest_items(
    gallery: Gallery,
    vector: NDArray[np.float32],
    top_k: int,
    category: str | None = None,
    selection: Selection | None = None,
    leave_out: Callable[[Match], bool] = lambda _: False,
) -> list[Match]:
    """The items most similar to a (D,) unit vector, each by its most similar photo of those in a
    category and selection; ties in key order. Where the product file knows the item, its word
    counts, not the folder's. An item whose photo is to be left out is left out."""
    asked = _PHOTOS_OF_ITEM * top_k
    item_of: dict[str, str] = {}  # by key: to tell an item takes longer than to find a photo
    while True:
        matches = gallery.search(vector, asked, category, selection)
        items: dict[str, Match] = {}
        for match in matches:
            key = match.row.key
            if key not in item_of:
                item_of[key] = item_sold(gallery, match.row)
            items.setdefault(item_of[key], match)
        found = [match for match in items.values() if not leave_out(match)]
        if len(found) >= top_k or len(matches) < asked:
            return found[:top_k]
        asked *= 2


def sold_out_last(
    gallery: Gallery, matches: Sequence[Match], wanted: Filter | None = None
) -> list[Match]:
    """The same, what is sold out after the rest."""
    return sorted(matches, key=lambda match: is_sold_out(gallery, match, wanted))


def is_sold_out(gallery: Gallery, match: Match, wanted: Filter | None = None) -> bool:
    """Whether no variant that a photo may show, and that satisfies a filter, is to be had."""
    sold = sold_as(gallery, match.row, wanted)
    return sold is not None and sold.product.availability == "out_of_stock"

"""Grouping: each item once, by its most similar photo, and what is sold out after the rest."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lens.gallery.gallery import Gallery, Match
from lens.search.products import item_sold, sold_as

Group = Literal["photo", "item"]
SoldOut = Literal["last", "hide", "keep"]
# Of each item about so many photos are among the nearest.
_PHOTOS_OF_ITEM = 4


def nearest_items(
    gallery: Gallery,
    vector: NDArray[np.float32],
    top_k: int,
    category: str | None,
    sold_out: SoldOut,
) -> list[Match]:
    """The items most similar to a (D,) unit vector, each by its most similar photo; ties in key
    order. Where the product file knows the item, its word counts, not the folder's. Items that are
    sold out are hidden, or follow the others, or keep their places."""
    asked = _PHOTOS_OF_ITEM * top_k
    while True:
        matches = gallery.search(vector, asked, category)
        items: dict[str, Match] = {}
        for match in matches:
            items.setdefault(item_sold(gallery, match.row), match)
        found = list(items.values())
        if gallery.shelf is not None and sold_out == "hide":
            found = [match for match in found if not is_sold_out(gallery, match)]
        if len(found) >= top_k or len(matches) < asked:
            break
        asked *= 2
    found = found[:top_k]
    if gallery.shelf is not None and sold_out == "last":
        found.sort(key=lambda match: is_sold_out(gallery, match))
    return found


def is_sold_out(gallery: Gallery, match: Match) -> bool:
    """Whether no variant that a photo may show is to be had."""
    sold = sold_as(gallery, match.row)
    return sold is not None and sold.product.availability == "out_of_stock"

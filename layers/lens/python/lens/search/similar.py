"""Similar items: what a gallery has that is like one of its own, by the vectors that it has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lens.errors import NotFoundError
from lens.gallery.gallery import Gallery, Match
from lens.search.grouping import nearest_items
from lens.search.products import Offers

Vector = NDArray[np.float32]  # (D,), unit length
# Of an item's photos, by key, so many ask. The first ones show the whole of it.
_ASKING = 8


def similar_items(
    gallery: Gallery,
    item_id: str,
    photos: Callable[[Vector, int], list[Match]],
    offers: Offers,
    top_k: int,
    leave_out: Callable[[Match], bool] = lambda _: False,
) -> list[Match]:
    """The items most similar to this one, each by its photo that is most similar to any of this
    item's; ties in key order. `photos` finds the nearest of a vector. The products that this item's
    photos show are none of them. Raises NotFoundError when no photo shows the item."""
    own = gallery.item_vectors(item_id)
    if not own:
        raise NotFoundError(f"no photo of the gallery shows the item {item_id!r}")
    offers.look_up(row for row, _ in own)
    itself = {offers.item(row) for row, _ in own}

    def is_left_out(match: Match) -> bool:
        return offers.item(match.row) in itself or leave_out(match)

    best: dict[str, Match] = {}
    for _, vector in own[:_ASKING]:
        nearest = partial(photos, vector)
        for match in nearest_items(nearest, offers, top_k, is_left_out, len(own)):
            item = offers.item(match.row)
            if item not in best or _order(match) < _order(best[item]):
                best[item] = match
    return sorted(best.values(), key=_order)[:top_k]


def _order(match: Match) -> tuple[float, str]:
    return -match.similarity, match.row.key

"""Similar items: what a gallery has that is like one of its own, by the vectors that it has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lens.errors import NotFoundError
from lens.gallery.gallery import Gallery, Match
from lens.gallery.selection import Selection

Vector = NDArray[np.float32]  # (D,), unit length
# Of an item's photos, by key, so many ask. The first ones show the whole of it.
_ASKING = 8


def similar_items(
    gallery: Gallery,
    item_id: str,
    top_k: int,
    category: str | None = None,
    selection: Selection | None = None,
) -> list[Match]:
    """The items most similar to this one, each by its photo that is most similar to any of this
    item's; ties in key order. Of the others only those in a category and selection, where they are
    given. Raises NotFoundError when no photo shows the item."""
    own = gallery.item_vectors(item_id)
    if not own:
        raise NotFoundError(f"no photo of the gallery shows the item {item_id!r}")
    best: dict[str, Match] = {}
    for _, vector in own[:_ASKING]:
        for match in _others(gallery, vector, item_id, len(own), top_k, category, selection):
            known = best.get(match.row.item_id)
            if known is None or _order(match) < _order(known):
                best[match.row.item_id] = match
    return sorted(best.values(), key=_order)[:top_k]


def _others(
    gallery: Gallery,
    vector: Vector,
    item_id: str,
    own: int,
    top_k: int,
    category: str | None,
    selection: Selection | None,
) -> list[Match]:
    """Photos of at least `top_k` other items, if there are so many: an item can fill many ranks."""
    asked = own + 4 * top_k
    while True:
        matches = gallery.search(vector, asked, category, selection)
        others = [match for match in matches if match.row.item_id != item_id]
        if len(matches) < asked or len({match.row.item_id for match in others}) >= top_k:
            return others
        asked *= 2


def _order(match: Match) -> tuple[float, str]:
    return -match.similarity, match.row.key

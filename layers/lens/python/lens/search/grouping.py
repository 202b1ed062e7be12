"""Grouping: each item once, by its most similar photo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from lens.gallery.gallery import Match
from lens.search.paging import Nearest
from lens.search.products import Offers

Group = Literal["photo", "item"]
# Of each item about so many photos are among the nearest.
_PHOTOS_OF_ITEM = 4


def nearest_items(
    photos: Nearest,
    offers: Offers,
    top_k: int,
    leave_out: Callable[[Match], bool] = lambda _: False,
    left_out: int = 0,
) -> list[Match]:
    """The first items of the nearest photos, each by its most similar photo. Where the product
    file knows the item, its word counts, not the folder's. An item whose photo is to be left out is
    left out; about so many photos are."""
    asked = left_out + _PHOTOS_OF_ITEM * top_k
    while True:
        matches = photos(asked)
        offers.look_up(match.row for match in matches)
        items: dict[str, Match] = {}
        for match in matches:
            items.setdefault(offers.item(match.row), match)
        found = [match for match in items.values() if not leave_out(match)]
        if len(found) >= top_k or len(matches) < asked:
            return found[:top_k]
        asked *= 2

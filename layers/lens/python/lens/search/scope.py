"""The scope: the part of a gallery that a search looks at, by category and filter."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from lens.errors import FilterError
from lens.feed.filter import Filter
from lens.gallery.gallery import Gallery, Match
from lens.gallery.rows import Row
from lens.gallery.selection import Selection
from lens.search.face import face_of
from lens.search.facets import COUNTED, Facet, Facets, count_facets
from lens.search.grouping import nearest_items
from lens.search.order import Order, SoldOut, Sort
from lens.search.paging import Nearest
from lens.search.products import Offers, Sold
from lens.search.similar import similar_items

Vector = NDArray[np.float32]  # (D,), unit length


@dataclass(frozen=True)
class Scope:
    """Of one gallery, for one search. What is found comes the most similar first."""

    gallery: Gallery
    category: str | None
    filter: Filter | None
    selection: Selection | None  # the filter's
    sold_out: SoldOut
    currency: str = ""  # of amounts that the product file names none of

    @cached_property
    def offers(self) -> Offers:
        """What the photos show, as far as the search has looked it up."""
        return Offers(self.gallery, self.filter, self.currency)

    def photos(self, vector: Vector, count: int) -> list[Match]:
        """The nearest photos."""
        return self.gallery.search(vector, count, self.category, self.selection)

    def items(self, vector: Vector, count: int) -> list[Match]:
        """The nearest items, a photo of each; none that is sold out, where that is hidden."""
        return nearest_items(partial(self.photos, vector), self.offers, count, self._hides)

    def similar(self, item_id: str, count: int) -> list[Match]:
        """The items most similar to one of them, in the same way."""
        return similar_items(self.gallery, item_id, self.photos, self.offers, count, self._hides)

    def items_of(self, matches: Sequence[Match]) -> list[Hashable]:
        """What two photos of one item have alike."""
        self.offers.look_up(match.row for match in matches)
        return [self.offers.item(match.row) for match in matches]

    def sold(self, row: Row) -> Sold | None:
        """What a photo shows, as it is sold: a variant that satisfies the filter."""
        return self.offers.sold(row)

    def face(self, row: Row, sold: Sold | None) -> Row | None:
        """The photo that the shop shows first of what this one shows, where that is another one."""
        return face_of(self.gallery, row, sold.product) if sold else None

    def facets(self, items: Nearest, facets: Sequence[Facet]) -> Facets | None:
        """What the nearest items have; None where no facet is asked for."""
        return count_facets(self.offers, items(COUNTED), facets) if facets else None

    def order(self, sort: Sort) -> Order:
        """How its items are arranged. Raises FilterError where there is nothing to sort by."""
        if self.gallery.shelf is None and sort != "similarity":
            raise FilterError("there is no product file to sort by; add one, or send no sort")
        return Order(self.offers, sort, self.sold_out == "last")

    def _hides(self, match: Match) -> bool:
        return self.sold_out == "hide" and self.offers.is_sold_out(match.row)


def category_of(gallery: Gallery, typed: str) -> str:
    """A category as the gallery has its name: a slash at the end says nothing, and a Mac writes
    names in another form of Unicode than a person types."""
    name = typed.rstrip("/")
    if name.isascii():
        return name
    wanted = normalize("NFC", name)
    for known in gallery.categories:
        plain = normalize("NFC", known)
        if plain == wanted or plain.startswith(f"{wanted}/"):
            return "/".join(known.split("/")[: name.count("/") + 1])
    return name

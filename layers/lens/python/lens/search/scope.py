"""The scope: the part of a gallery that a search looks at, by category and filter."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.feed.filter import Filter
from lens.gallery.gallery import Gallery, Match
from lens.gallery.rows import Row
from lens.gallery.selection import Selection
from lens.search.facets import COUNTED, Facet, Facets, count_facets
from lens.search.grouping import SoldOut, is_sold_out, nearest_items, sold_out_last
from lens.search.paging import Nearest
from lens.search.products import Sold, item_sold, sold_as
from lens.search.similar import similar_items

Vector = NDArray[np.float32]  # (D,), unit length


@dataclass(frozen=True)
class Scope:
    """Of one gallery. What is found comes the most similar first."""

    gallery: Gallery
    category: str | None
    filter: Filter | None
    selection: Selection | None  # the filter's
    sold_out: SoldOut

    def photos(self, vector: Vector, count: int) -> list[Match]:
        """The nearest photos."""
        return self.gallery.search(vector, count, self.category, self.selection)

    def items(self, vector: Vector, count: int) -> list[Match]:
        """The nearest items, a photo of each; none that is sold out, where that is hidden."""
        return nearest_items(
            self.gallery, vector, count, self.category, self.selection, self._hides
        )

    def similar(self, item_id: str, count: int) -> list[Match]:
        """The items most similar to one of them, a photo of each."""
        return similar_items(self.gallery, item_id, count, self.category, self.selection)

    def item_of(self, row: Row) -> Hashable:
        """What two photos of one item have alike."""
        return item_sold(self.gallery, row)

    def sold(self, row: Row) -> Sold | None:
        """What a photo shows, as it is sold: a variant that satisfies the filter."""
        return sold_as(self.gallery, row, self.filter)

    def facets(self, items: Nearest, facets: Sequence[Facet]) -> Facets | None:
        """What the nearest items have; None where no facet is asked for."""
        if not facets:
            return None
        return count_facets(self.gallery, items(COUNTED), facets, self.filter)

    def arranged(self, items: list[Match]) -> list[Match]:
        """A page of items, what is sold out last, where the shop wants it so."""
        if self.gallery.shelf is None or self.sold_out != "last":
            return items
        return sold_out_last(self.gallery, items, self.filter)

    def _hides(self, match: Match) -> bool:
        return (
            self.sold_out == "hide"
            and self.gallery.shelf is not None
            and is_sold_out(self.gallery, match, self.filter)
        )

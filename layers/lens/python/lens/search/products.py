"""Products: what the shop's product file says of the photos that a search finds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from lens.feed.encoding import decode
from lens.feed.filter import Filter
from lens.feed.names import names_of_item
from lens.feed.product import Product
from lens.gallery.assortment import Found
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Row
from lens.search.photo_names import PhotoNames

_MOST_VARIANTS = 100
_AT_ONCE = 4_096  # photos that are looked up together: some megabytes


@dataclass(frozen=True)
class Sold:
    """What a photo shows, as it is sold: of the variants that it may show the first that is to be
    had; and all variants of the item."""

    product: Product
    variants: tuple[Product, ...] = ()


class Offers:
    """The products of one gallery's photos, of the variants that satisfy a filter where one is
    given. To find what a photo shows takes longer than to find the photo, so many are looked up
    together, and each once."""

    def __init__(self, gallery: Gallery, wanted: Filter | None = None, currency: str = "") -> None:
        """Amounts that the product file names no currency of are in this one."""
        self._currency, self._now = currency, time.time()
        self._assortment = gallery.shelf.assortment if gallery.shelf else None
        self._wanted = wanted
        self._found: dict[str, Found | None] = {}  # by key
        self._shown: dict[str, Product | None] = {}  # by key

    def look_up(self, rows: Iterable[Row]) -> None:
        """Find what these photos show, all at once."""
        new = {row.key: row.item_id for row in rows if row.key not in self._found}
        if self._assortment is None or not new:
            return
        names = PhotoNames.of_photos(new.items())
        found = self._assortment.find_each(names.hashes, names.starts.tolist())
        self._found.update(zip(new, found, strict=True))

    def knows(self, row: Row) -> bool:
        """Whether a product of the feed is called so."""
        return self._of(row) is not None

    def item(self, row: Row) -> str:
        """The item that a photo shows: the product file's, else the catalog's."""
        found = self._of(row)
        return found.item_id if found else row.item_id

    def may_show(self, row: Row) -> list[Product]:
        """All variants that a photo may show and that satisfy the filter, in the product file's
        order."""
        return list(self._satisfying(row))

    def shown(self, row: Row) -> Product | None:
        """The variant that a photo is shown as: the first that is to be had."""
        if row.key not in self._shown:
            self._shown[row.key] = self._first(row)
        return self._shown[row.key]

    def sold(self, row: Row) -> Sold | None:
        """What a photo shows; None where no product of the feed is called so."""
        found, product = self._of(row), self.shown(row)
        if self._assortment is None or found is None or product is None:
            return None
        texts = self._assortment.variants(found.item_id, names_of_item(found.item_id)[1])
        return Sold(product, tuple(map(self._decode, texts[:_MOST_VARIANTS])))

    def _decode(self, text: bytes) -> Product:
        return decode(text, self._currency).at(self._now)

    def is_sold_out(self, row: Row) -> bool:
        """Whether none of these variants is to be had."""
        product = self.shown(row)
        return product is not None and product.availability == "out_of_stock"

    def _of(self, row: Row) -> Found | None:
        if row.key not in self._found:
            self.look_up([row])
        return self._found.get(row.key)

    def _satisfying(self, row: Row) -> Iterator[Product]:
        found = self._of(row)
        products = map(self._decode, found.texts()) if found else iter(())
        return products if self._wanted is None else filter(self._wanted.matches, products)

    def _first(self, row: Row) -> Product | None:
        """Of what satisfies nothing, the first to be had: a search without a filter finds it."""
        found = self._of(row)
        if found is None:
            return None
        first = _to_be_had(self._satisfying(row))
        return first or _to_be_had(map(self._decode, found.texts()))


def sold_as(
    gallery: Gallery, row: Row, wanted: Filter | None = None, currency: str = ""
) -> Sold | None:
    """What a photo of the gallery shows, of the variants that satisfy a filter where one does."""
    return Offers(gallery, wanted, currency).sold(row)


def matched(gallery: Gallery) -> tuple[set[str], list[str]]:
    """The items of the product file that photos show, and the keys of the photos that show none."""
    items, without = set(), []
    photos = gallery.photos()
    while some := list(islice(photos, _AT_ONCE)):
        offers = Offers(gallery)
        offers.look_up(some)
        for row in some:
            if offers.knows(row):
                items.add(offers.item(row))
            else:
                without.append(row.key)
    return items, sorted(without)


def _to_be_had(products: Iterable[Product]) -> Product | None:
    """The first that is not sold out, else the first."""
    first = None
    for product in islice(products, _MOST_VARIANTS):
        if product.availability != "out_of_stock":
            return product
        first = first or product
    return first

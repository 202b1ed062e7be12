"""Products: what the shop's product file says of a photo that was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from lens.feed.encoding import decode
from lens.feed.names import names_in_key, names_of_item
from lens.feed.product import Product
from lens.gallery.assortment import Assortment
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Row

_MOST_VARIANTS = 100


@dataclass(frozen=True)
class Sold:
    """What a photo shows, as it is sold: of the variants that it may show the first that is to be
    had; and all variants of the item."""

    product: Product
    variants: tuple[Product, ...] = ()


def sold_as(gallery: Gallery, row: Row) -> Sold | None:
    """What a photo of the gallery shows; None where no product of the feed is called so."""
    if gallery.shelf is None:
        return None
    assortment = gallery.shelf.assortment
    found = assortment.find(_names(row))
    if found is None:
        return None
    maybe = _products(assortment, found.ids)
    if not maybe:
        return None
    here = [each for each in maybe if each.availability != "out_of_stock"]
    variants = assortment.variants(found.item_id, names_of_item(found.item_id)[1])
    return Sold((here or maybe)[0], tuple(_products(assortment, variants)))


def item_sold(gallery: Gallery, row: Row) -> str:
    """The item that a photo shows: the product file's, else the catalog's."""
    found = gallery.shelf.assortment.find(_names(row)) if gallery.shelf else None
    return found.item_id if found else row.item_id


def matched(gallery: Gallery) -> tuple[set[str], list[str]]:
    """The items of the product file that photos show, and the keys of the photos that show none."""
    if gallery.shelf is None:
        return set(), [row.key for row in gallery.photos()]
    items, without = set(), []
    for row in gallery.photos():
        found = gallery.shelf.assortment.find(_names(row))
        if found:
            items.add(found.item_id)
        else:
            without.append(row.key)
    return items, sorted(without)


def _names(row: Row) -> Iterator[str]:
    yield from names_in_key(row.key)
    yield from names_of_item(row.item_id)


def _products(assortment: Assortment, ids: Iterable[str]) -> list[Product]:
    texts = (assortment.text(product) for product in islice(ids, _MOST_VARIANTS))
    return [decode(text) for text in texts if text is not None]

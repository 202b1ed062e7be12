"""Products: what the shop's product file says of a photo that was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from lens.feed.encoding import decode
from lens.feed.filter import Filter
from lens.feed.names import names_of_item, names_of_photo
from lens.feed.product import Product
from lens.gallery.assortment import Assortment, Found
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Row

_MOST_VARIANTS = 100


@dataclass(frozen=True)
class Sold:
    """What a photo shows, as it is sold: of the variants that it may show the first that is to be
    had; and all variants of the item."""

    product: Product
    variants: tuple[Product, ...] = ()


def sold_as(gallery: Gallery, row: Row, wanted: Filter | None = None) -> Sold | None:
    """What a photo of the gallery shows, of the variants that satisfy a filter where one does; None
    where no product of the feed is called so."""
    found = _found(gallery, row)
    if found is None or gallery.shelf is None:
        return None
    assortment = gallery.shelf.assortment
    maybe = list(islice(_products(assortment, found.ids), _MOST_VARIANTS))
    if wanted is not None:  # the one that satisfies it may come late
        satisfying = filter(wanted.matches, _products(assortment, found.ids))
        maybe = list(islice(satisfying, _MOST_VARIANTS)) or maybe
    if not maybe:
        return None
    here = [each for each in maybe if each.availability != "out_of_stock"]
    ids = assortment.variants(found.item_id, names_of_item(found.item_id)[1])
    variants = islice(_products(assortment, ids), _MOST_VARIANTS)
    return Sold((here or maybe)[0], tuple(variants))


def may_show(gallery: Gallery, row: Row) -> list[Product]:
    """All variants that a photo may show, in the product file's order."""
    found = _found(gallery, row)
    if found is None or gallery.shelf is None:
        return []
    return list(_products(gallery.shelf.assortment, found.ids))


def item_sold(gallery: Gallery, row: Row) -> str:
    """The item that a photo shows: the product file's, else the catalog's."""
    found = _found(gallery, row)
    return found.item_id if found else row.item_id


def matched(gallery: Gallery) -> tuple[set[str], list[str]]:
    """The items of the product file that photos show, and the keys of the photos that show none."""
    if gallery.shelf is None:
        return set(), [row.key for row in gallery.photos()]
    items, without = set(), []
    for row in gallery.photos():
        found = _found(gallery, row)
        if found:
            items.add(found.item_id)
        else:
            without.append(row.key)
    return items, sorted(without)


def _found(gallery: Gallery, row: Row) -> Found | None:
    if gallery.shelf is None:
        return None
    return gallery.shelf.assortment.find(names_of_photo(row.key, row.item_id))


def _products(assortment: Assortment, ids: Iterable[str]) -> Iterator[Product]:
    texts = (assortment.text(product) for product in ids)
    return (decode(text) for text in texts if text is not None)

"""The picture plan: which pictures of the product file the catalog should have, and where.

A product of which the shop has photos needs none; which those are is told as a search tells it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lens.feed.encoding import decode
from lens.feed.names import names_of_photo
from lens.feed.pictures import addresses_of, picture_folder, picture_id
from lens.fetching.addresses import refusal
from lens.gallery.assortment import Assortment
from lens.photos.catalog import Catalog
from lens.photos.layouts.layout import Layout


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture: whose, where from, and the folder of its key."""

    product: str
    address: str
    folder: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """An address that cannot be fetched, and why."""

    product: str
    address: str
    why: str


@dataclass(frozen=True)
class PicturePlan:
    """The pictures by id, each product's first before anybody's second."""

    wanted: dict[str, Wanted]
    unusable: tuple[Unusable, ...]


@dataclass(frozen=True)
class NamedPictures:
    """Every picture that products name, in a fixed order: one that several name lies where the
    first of them says."""

    pictures: tuple[tuple[str, Wanted], ...]
    unusable: tuple[Unusable, ...]


def named_pictures(assortment: Assortment, ports: Collection[int] = (443,)) -> NamedPictures:
    """What these products name. It takes a tenth of a millisecond for each, once for a file."""
    unusable: list[Unusable] = []
    found: list[tuple[int, str, Wanted]] = []
    for product_id, text in assortment:
        product = decode(text)
        folder = picture_folder(product)
        for number, address in enumerate(addresses_of(product)):
            if why := refusal(address, ports):
                unusable.append(Unusable(product_id, address, why))
            else:
                found.append((number, product_id, Wanted(product_id, address, folder)))
    found.sort(key=lambda each: each[:2])
    pictures = ((picture_id(wanted.address), wanted) for _, _, wanted in found)
    return NamedPictures(tuple(pictures), tuple(unusable))


def plan_pictures(
    named: NamedPictures, assortment: Assortment, catalog: Catalog, layout: Layout
) -> PicturePlan:
    """Which of them are to be there, beside the photos that the shop has itself."""
    pictured = _pictured(assortment, catalog, layout)
    wanted: dict[str, Wanted] = {}
    for picture, each in named.pictures:
        if each.product not in pictured:
            wanted.setdefault(picture, each)
    return PicturePlan(wanted, tuple(e for e in named.unusable if e.product not in pictured))


def _pictured(assortment: Assortment, catalog: Catalog, layout: Layout) -> set[str]:
    """The ids of the products that the shop's own photos show."""
    partition = catalog.partition()
    pictured: set[str] = set()
    for info in catalog.own_photos():
        item_id = layout.place(info.key, partition).item_id
        found = assortment.find(names_of_photo(info.key, item_id))
        if found:
            pictured.update(found.ids)
    return pictured

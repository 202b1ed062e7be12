"""The picture plan: which pictures of the product file the catalog should have, and where.

A product of which the shop has photos needs none; which those are is told as a search tells it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from lens.feed.encoding import decode
from lens.feed.names import names_in_key, names_of_item
from lens.feed.pictures import addresses_of, picture_folder, picture_id
from lens.fetching.addresses import refusal
from lens.gallery.assortment import Assortment
from lens.photos.catalog import Catalog


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


@dataclass
class PicturePlan:
    """The pictures by id, each product's first before anybody's second."""

    wanted: dict[str, Wanted] = field(default_factory=dict)
    unusable: list[Unusable] = field(default_factory=list)


def plan_pictures(
    assortment: Assortment, catalog: Catalog, ports: Collection[int] = (443,)
) -> PicturePlan:
    """What is to be fetched for these products, beside the photos that the shop has itself."""
    plan = PicturePlan()
    pictured = _pictured(assortment, catalog)
    found: list[tuple[int, str, Wanted]] = []
    for product_id, text in assortment:
        if product_id in pictured:
            continue
        product = decode(text)
        folder = picture_folder(product)
        for number, address in enumerate(addresses_of(product)):
            why = refusal(address, ports)
            if why:
                plan.unusable.append(Unusable(product_id, address, why))
            else:
                found.append((number, product_id, Wanted(product_id, address, folder)))
    # In a fixed order: a picture that several products name lies where the first of them says.
    for _, _, wanted in sorted(found, key=lambda each: each[:2]):
        plan.wanted.setdefault(picture_id(wanted.address), wanted)
    return plan


def _pictured(assortment: Assortment, catalog: Catalog) -> set[str]:
    """The ids of the products that the shop's own photos show."""
    partition = catalog.partition()
    pictured: set[str] = set()
    for info in catalog.own_photos():
        names = list(names_in_key(info.key))
        if info.key in partition:
            names += names_of_item(partition[info.key].item_id)
        found = assortment.find(names)
        if found:
            pictured.update(found.ids)
    return pictured

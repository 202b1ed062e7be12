"""The feed's explanation: which of a catalog's photos show a product of the product file, as far as
names tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.local.counted import counted
from lens.errors import LensError
from lens.feed.feed import Feed, read_feed
from lens.feed.names import names_of_photo
from lens.gallery.assortment import NO_PRODUCTS, Assortment, Products
from lens.photos.catalog import Catalog
from lens.photos.layouts.layout import Placed
from lens.pipeline.feed import entries_of
from lens.settings import variable


@dataclass(frozen=True)
class FeedExplanation:
    """How the products and the photos of a catalog come together; with a `trouble` not at all."""

    file: str
    trouble: str | None = None
    dialect: str = ""
    products: int = 0
    products_with_photos: int = 0
    photos: int = 0
    photos_without_product: Sequence[str] = ()

    @property
    def line(self) -> str:
        """For people."""
        if self.trouble:
            return f"feed       {self.file} cannot be used: {self.trouble}"
        matching = self.photos - len(self.photos_without_product)
        return (
            f"feed       {self.file}: {counted(self.products, 'product')} ({self.dialect}), "
            f"{self.products_with_photos:,} of them with photos; {matching:,} of "
            f"{counted(self.photos, 'photo')} match"
        )

    def to_json(self) -> dict[str, Any]:
        """The same, with the key of every photo without a product."""
        return {**vars(self), "photos_without_product": list(self.photos_without_product)}


def explain_feed(catalog: Catalog, places: Mapping[str, Placed]) -> FeedExplanation | None:
    """None without a product file, where none was named."""
    name = variable("feed")
    try:
        info = catalog.feed()
        if info is None:
            missing = FeedExplanation(name, "it is not where it should be")
            return missing if catalog.feed_is_elsewhere else None
        name = info.key
        feed = read_feed(name, catalog.read_feed(name)[0])
    except LensError as error:
        return FeedExplanation(name, str(error))
    without, items = _unmatched(feed, places)
    sold = {product.item_group_id or product.id for product in feed.products}
    return FeedExplanation(
        name, None, feed.dialect, len(sold), len(items & sold), len(places), without
    )


def _unmatched(feed: Feed, places: Mapping[str, Placed]) -> tuple[list[str], set[str]]:
    """The photos without a product, and the products with photos."""
    assortment = Assortment(Products.of(entries_of(feed.products)), NO_PRODUCTS)
    without, items = [], set()
    for key, place in places.items():
        match = assortment.find(names_of_photo(key, place.item_id))
        if match:
            items.add(match.item_id)
        else:
            without.append(key)
    return without, items

"""Feed status: what became of the shop's product file, for `lens status`."""

from __future__ import annotations

from typing import Any

from lens.feed.encoding import decode
from lens.feed.pictures import addresses_of
from lens.gallery.assortment import Assortment
from lens.gallery.gallery import Gallery
from lens.search.products import matched
from lens.settings import variable

_SHOWN = 5


def feed_status(gallery: Gallery, fetches: bool = False) -> dict[str, Any] | None:
    """How products and photos came together; None without a product file. `fetches` says whether
    pictures are fetched from their addresses."""
    if gallery.shelf is None:
        return None
    manifest, assortment = gallery.shelf.manifest, gallery.shelf.assortment
    if not manifest.file and not manifest.trouble:
        return None
    items, photos_without = matched(gallery)
    without = [product for product, item in assortment.items() if item not in items]
    return {
        "file": manifest.file or "LENS_FEED",
        "dialect": manifest.dialect,
        "products": manifest.products,
        "trouble": manifest.trouble or None,
        "left_out": manifest.left_out,
        "problems": manifest.problems,
        "first_problems": [each.model_dump() for each in manifest.first_problems],
        "products_without_photos": sorted(without),
        "photos_without_product": photos_without,
        "to_fetch": 0 if fetches else sum(_named_by_address(assortment, each) for each in without),
    }


def _named_by_address(assortment: Assortment, product_id: str) -> bool:
    text = assortment.text(product_id)
    return text is not None and bool(addresses_of(decode(text)))


def feed_lines(feed: dict[str, Any]) -> list[str]:
    """The same as text."""
    lines = [f"feed       {feed['file']}: {feed['products']} products ({feed['dialect']})"]
    if feed["trouble"]:
        lines.append(f"           it cannot be used now ({feed['trouble']}); earlier products stay")
    if feed["problems"]:
        lines.append(f"           {feed['problems']} problems: `lens feed check` says where")
    for name, what in (
        ("products_without_photos", "products have no photo"),
        ("photos_without_product", "photos have no product"),
    ):
        if some := feed[name]:
            more = ", ..." if len(some) > _SHOWN else ""
            lines.append(f"           {len(some)} {what}: {', '.join(some[:_SHOWN])}{more}")
    if number := feed["to_fetch"]:
        setting = variable("feed_pictures")
        lines.append(
            f"           {number} products without a photo name pictures by address: {setting}=1 "
            "fetches them"
        )
    return lines

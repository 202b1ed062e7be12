"""Feed status: what became of the shop's product file, for `lens status`."""

from __future__ import annotations

from typing import Any

from lens.gallery.gallery import Gallery
from lens.search.products import matched

_SHOWN = 5


def feed_status(gallery: Gallery) -> dict[str, Any] | None:
    """How products and photos came together; None without a product file."""
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
    }


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
    return lines

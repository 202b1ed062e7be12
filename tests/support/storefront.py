"""Storefront's photos as a shop might have named them: in each layout that is recognized."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Photo(NamedTuple):
    """A photo of the manifest."""

    sku: str
    color: str
    number: int  # among those of its color
    folder: str  # of its category
    original: str
    view: str


def read_photos(storefront: Path) -> list[Photo]:
    """Every photo, in the manifest's order."""
    found: list[Photo] = []
    counts: dict[tuple[str, str], int] = {}
    with (storefront / "manifest.csv").open() as lines:
        for row in csv.DictReader(lines):
            of = row["sku"], row["colour"]
            counts[of] = counts.get(of, 0) + 1
            folder = str(Path(row["image_name"]).parent.parent.relative_to("img"))
            view = row["view"].partition("_")[2]
            found.append(Photo(*of, counts[of], folder, row["original"], view))
    return found


LAYOUTS: dict[str, Callable[[Photo], str]] = {
    "SKU_1.jpg": lambda p: f"{p.sku}_{p.color}_{p.number}.jpg",
    "SKU/1.jpg": lambda p: f"{p.sku}/{p.color}{p.number}.jpg",
    "SKU/variant/1.jpg": lambda p: f"{p.sku}/{p.color}/{p.number}.jpg",
    "Category/SKU/1.jpg": lambda p: f"{p.folder}/{p.sku}/{p.color}{p.number}.jpg",
}
# The same with other signs, views and folders.
MORE_LAYOUTS: dict[str, Callable[[Photo], str]] = {
    "SKU-variant (1).jpg": lambda p: f"{p.sku}-{p.color} ({p.number}).jpg",
    "SKU.variant.MAIN1.jpg": lambda p: f"{p.sku}.{p.color}.MAIN{p.number}.jpg",
    "SKU_variant_1_front.jpg": lambda p: f"{p.sku}_{p.color}_{p.number}_{p.view}.jpg",
    "Category/SKU_1.jpg": lambda p: f"{p.folder}/{p.sku}_{p.color}_{p.number}.jpg",
    "Category/Magento's": lambda p: f"{p.folder}/{p.original}",
    "Category/SKU/variant/1.jpg": lambda p: f"{p.folder}/{p.sku}/{p.color}/{p.number}.jpg",
    "SKU/SKU_1.jpg": lambda p: f"{p.sku}/{p.sku}_{p.color}_{p.number}.jpg",
    "Category/SKU/color_IMG_1001.jpg": lambda p: (
        f"{p.folder}/{p.sku}/{p.color}_IMG_{1000 + p.number}.jpg"
    ),
}

"""Four layouts of storefront's photos, each with four formats of feeds: every photo is its product.

Covers: names, feed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from lens.feed.feed import read_feed
from lens.feed.names import names_in_key
from lens.gallery.assortment import NO_PRODUCTS, Assortment, Products
from lens.pipeline.feed import entries_of
from tests.support.storefront import LAYOUTS, Photo, read_photos


class Variant(NamedTuple):
    """A color of a product; `only` where it is the only one."""

    sku: str
    color: str
    only: bool
    pictures: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.sku if self.only else f"{self.sku}-{self.color}"


@pytest.fixture(scope="module")
def photos(storefront: Path) -> list[Photo]:
    return read_photos(storefront)


def _variants(photos: Sequence[Photo], *, pictures: bool) -> list[Variant]:
    colors: dict[str, dict[str, list[str]]] = {}
    for photo in photos:
        colors.setdefault(photo.sku, {}).setdefault(photo.color, []).append(photo.original)
    return [
        Variant(sku, color, len(of) == 1, tuple(names) if pictures else ())
        for sku, of in colors.items()
        for color, names in of.items()
    ]


def _table(columns: str, rows: Sequence[Mapping[str, str]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns.split("|"), delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _google(variants: Sequence[Variant]) -> tuple[str, bytes]:
    rows = [
        {
            "id": each.id,
            "title": each.sku,
            "item_group_id": "" if each.only else each.sku,
            "price": "10.00 EUR",
            "additional_image_link": ",".join(f"https://cdn.example/{p}" for p in each.pictures),
        }
        for each in variants
    ]
    columns = "id|title|item_group_id|price|additional_image_link"
    return "products.tsv", _table(columns, rows, "\t")


def _shopify(variants: Sequence[Variant]) -> tuple[str, bytes]:
    rows: list[dict[str, str]] = []
    for each in variants:
        first = {
            "Handle": each.sku,
            "Title": each.sku,
            "Option1 Name": "Color",
            "Option1 Value": each.color,
            "Variant SKU": each.id,
            "Variant Price": "10.00",
        }
        pictures = [
            {"Handle": each.sku, "Image Src": f"https://c.example/{p}?v=1"} for p in each.pictures
        ]
        rows += [first, *pictures]
    columns = "Handle|Title|Option1 Name|Option1 Value|Variant SKU|Variant Price|Image Src"
    return "products.csv", _table(columns, rows)


def _woocommerce(variants: Sequence[Variant]) -> tuple[str, bytes]:
    rows: list[dict[str, str]] = []
    for each in variants:
        if not each.only and not any(row["SKU"] == each.sku for row in rows):
            rows.append({"Type": "variable", "SKU": each.sku, "Name": each.sku, "Published": "1"})
        rows.append(
            {
                "Type": "simple" if each.only else "variation",
                "SKU": each.id,
                "Name": each.id,
                "Published": "1",
                "Regular price": "10.00",
                "Parent": "" if each.only else each.sku,
                "Images": ", ".join(f"https://shop.example/u/{p}" for p in each.pictures),
            }
        )
    for number, row in enumerate(rows, start=1):
        row["ID"] = str(number)
    columns = "ID|Type|SKU|Name|Published|Regular price|Parent|Images"
    return "products.csv", _table(columns, rows)


def _magento(variants: Sequence[Variant]) -> tuple[str, bytes]:
    rows: list[dict[str, str]] = []
    groups: dict[str, list[str]] = {}
    for each in variants:
        paths = [f"/{p[0]}/{p[1]}/{p}" for p in each.pictures]
        rows.append(
            {
                "sku": each.id,
                "product_type": "simple",
                "name": each.id,
                "price": "10.00",
                "product_online": "1",
                "base_image": paths[0] if paths else "",
                "additional_images": ",".join(paths[1:]),
            }
        )
        if not each.only:
            groups.setdefault(each.sku, []).append(f"sku={each.id},color={each.color}")
    for sku, of in groups.items():
        rows.append(
            {
                "sku": sku,
                "product_type": "configurable",
                "name": sku,
                "product_online": "1",
                "configurable_variations": "|".join(of),
            }
        )
    columns = (
        "sku|product_type|name|price|product_online|base_image|additional_images"
        "|configurable_variations"
    )
    return "products.csv", _table(columns, rows)


FORMATS = (_google, _shopify, _woocommerce, _magento)


def _assortment(name: str, data: bytes) -> Assortment:
    feed = read_feed(name, data)
    assert feed.problems == ()
    return Assortment(Products.of(entries_of(feed.products)), NO_PRODUCTS)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("write", FORMATS)
def test_every_photo_is_found_to_be_its_product_by_its_sku(
    photos: list[Photo],
    write: Callable[[Sequence[Variant]], tuple[str, bytes]],
    layout: str,
) -> None:
    assortment = _assortment(*write(_variants(photos, pictures=False)))
    wrong = []
    for photo in photos:
        found = assortment.find(names_in_key(LAYOUTS[layout](photo)))
        if found is None or found.item_id != photo.sku:
            wrong.append((photo, found))
    assert wrong == []


@pytest.mark.parametrize("write", FORMATS)
def test_every_photo_is_found_to_be_its_color_by_its_picture(
    photos: list[Photo], write: Callable[[Sequence[Variant]], tuple[str, bytes]]
) -> None:
    variants = _variants(photos, pictures=True)
    assortment = _assortment(*write(variants))
    color_of = {(each.sku, each.color): each.id for each in variants}
    for photo in photos:
        found = assortment.find(names_in_key(f"exported/{photo.original}"))
        assert found is not None, photo
        assert found.item_id == photo.sku
        if write is not _shopify:  # its pictures belong to the product, whatever their row
            assert found.ids == (color_of[photo.sku, photo.color],)


def test_a_color_in_a_file_name_tells_the_variant(photos: list[Photo]) -> None:
    variants = _variants(photos, pictures=False)
    assortment = _assortment(*_google(variants))
    for photo in photos:
        found = assortment.find(names_in_key(LAYOUTS["SKU_1.jpg"](photo)))
        assert found is not None
        assert found.ids == (photo.sku,) or f"{photo.sku}-{photo.color}" in found.ids
        assert len(found.ids) == 1

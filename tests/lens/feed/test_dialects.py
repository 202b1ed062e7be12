"""Dialects: each shop system's own export becomes the same products.

Covers: google, shopify, woocommerce, magento, draft, product.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lens.feed.feed import Feed, read_feed
from lens.feed.product import Money, Product

EXPORTS = Path(__file__).parent / "exports"  # as the systems write them, small, with oddities


def feed(name: str) -> Feed:
    return read_feed(name, (EXPORTS / name).read_bytes())


def by_id(found: Feed) -> dict[str, Product]:
    assert found.problems == ()
    return {product.id: product for product in found.products}


def test_google_s_fields_are_read_with_either_spelling() -> None:
    found = feed("google.tsv")
    assert found.dialect == "Google Merchant"
    first = by_id(found)["SW-1-M"]
    assert first == Product(
        id="SW-1-M",
        title="Knit sweater",
        description="Soft & warm.",
        link="https://shop.example/p/sw-1?v=m",
        images=(
            "https://cdn.example/sw-1.jpg",
            "https://cdn.example/sw-1b.jpg",
            "https://cdn.example/sw-1c.jpg",
        ),
        price=Money(Decimal("59.90"), "EUR"),
        sale_price=Money(Decimal("39.90"), "EUR"),
        availability="in_stock",
        brand="Nord",
        color="green",
        size="M",
        gender="female",
        category="Home/Women/Sweaters",
        item_group_id="SW-1",
    )
    assert by_id(found)["SW-1-L"].availability == "out_of_stock"
    assert by_id(found)["HAT-7"].price == Money(Decimal("1299.00"), "EUR")
    header, rows = (EXPORTS / "google.tsv").read_text().split("\n", 1)
    underscored = "\t".join(name.replace(" ", "_") for name in header.split("\t"))
    assert read_feed("x.tsv", f"{underscored}\n{rows}".encode()).products == found.products


def test_google_s_fields_are_read_from_json_lines() -> None:
    found = by_id(feed("google.jsonl"))
    assert found["SW-1-M"].price == Money(Decimal("59.90"), "EUR")
    assert len(found["SW-1-M"].images) == 2
    assert found["77"].title == "Scarf"


def test_shopify_s_variants_share_what_the_first_row_tells() -> None:
    found = feed("shopify.csv")
    assert (found.dialect, found.left_out) == ("Shopify", {"not published": 1})
    products = by_id(found)
    assert list(products) == ["LS-W-S", "LS-W-M", "linen-shirt-Blue-S", "0042"]
    small, medium, blue, belt = products.values()
    assert {each.item_group_id for each in (small, medium, blue)} == {"linen-shirt"}
    assert {each.title for each in (small, medium, blue)} == {"Linen shirt"}
    assert small.description == "Light, cool."
    assert (small.price, small.sale_price) == (Money(Decimal("69.00")), Money(Decimal("49.00")))
    assert (blue.price, blue.sale_price) == (Money(Decimal("49.00")), None)
    assert [each.availability for each in products.values()] == [
        "in_stock",
        "out_of_stock",
        "in_stock",
        "in_stock",
    ]
    assert (small.color, small.size, blue.color) == ("White", "S", "Blue")
    assert small.images[0] == "https://cdn.example/linen-w.jpg"
    assert small.images[1:] == tuple(f"https://cdn.example/linen-{n}.jpg" for n in (1, 2, 3, 4))
    assert blue.images[0] == "https://cdn.example/linen-1.jpg"
    assert (belt.item_group_id, belt.size, belt.category) == ("", "", "Belts")


def test_shopify_s_newer_column_names_are_known() -> None:
    found = by_id(feed("shopify_renamed.csv"))
    assert list(found) == ["CAP-R", "CAP-B"]
    assert [each.availability for each in found.values()] == ["out_of_stock", "in_stock"]
    assert found["CAP-B"].sale_price == Money(Decimal("15"))
    assert found["CAP-B"].images[0] == "https://cdn.example/cap-b.jpg"
    assert {each.item_group_id for each in found.values()} == {"cap"}


def test_woocommerce_s_variations_have_what_their_parent_tells() -> None:
    found = feed("woocommerce.csv")
    assert (found.dialect, found.left_out) == ("WooCommerce", {"not published": 1})
    products = by_id(found)
    assert list(products) == ["DRESS-R", "12", "SOCK"]
    red, blue, socks = products.values()
    assert (red.item_group_id, blue.item_group_id, socks.item_group_id) == ("DRESS", "DRESS", "")
    assert (red.color, red.size, blue.color) == ("Red", "S", "Blue")
    assert red.category == blue.category == "Clothing/Dresses"
    assert (red.sale_price, blue.sale_price) == (Money(Decimal("29.90")), None)
    assert blue.description == "For warm days"
    assert blue.images == ("https://shop.example/u/dress.jpg",)
    assert len(socks.images) == 2
    assert [each.availability for each in products.values()] == [
        "in_stock",
        "out_of_stock",
        "backorder",
    ]


def test_magento_s_simple_products_are_a_group_by_the_configurable_one() -> None:
    found = feed("magento.csv")
    assert (found.dialect, found.left_out) == ("Magento", {"not enabled": 1})
    products = by_id(found)
    assert list(products) == ["WS03-XS-Red", "WS03-S-Blue", "24-MB01"]
    red, blue, bag = products.values()
    assert (red.item_group_id, blue.item_group_id, bag.item_group_id) == ("WS03", "WS03", "")
    assert red.title == blue.title == "Iris Workout Top"
    assert red.description == "Spandex"
    assert (red.color, red.size, red.gender) == ("Red", "XS", "women")
    assert red.category == "Women/Tops/Tees"
    assert blue.images == (
        "/w/s/ws03-blue_main.jpg",
        "/w/s/ws03-blue_back.jpg",
        "/w/s/ws03-red_main.jpg",
    )
    assert (blue.price, blue.sale_price) == (Money(Decimal("29.00")), Money(Decimal("19.00")))
    assert (blue.availability, bag.availability) == ("out_of_stock", "in_stock")


@pytest.mark.parametrize("name", sorted(path.name for path in EXPORTS.iterdir()))
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_spreadsheet_s_encodings_change_nothing(name: str, encoding: str) -> None:
    text = (EXPORTS / name).read_text().replace("\n", "\r\n")
    assert read_feed(name, text.encode(encoding)).products == feed(name).products

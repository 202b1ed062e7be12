"""Encoding: what is written is read back, by this release and by the next."""

from __future__ import annotations

import json
from decimal import Decimal

from lens.feed.encoding import decode, encode
from lens.feed.feed import read_feed
from lens.feed.product import Money, Product

FULL = Product(
    id="A-1",
    title="Kleid „Ü“",
    description="warm",
    link="https://shop.example/a",
    images=("a.jpg", "b.jpg"),
    price=Money(Decimal("25.00"), "EUR"),
    sale_price=Money(Decimal("19.90")),
    availability="in_stock",
    brand="B",
    color="red",
    size="M",
    gender="female",
    category="Women/Dresses",
    item_group_id="A",
)


def test_a_product_is_read_back_as_it_was() -> None:
    for product in (FULL, Product("x")):
        assert decode(encode(product)) == product


def test_an_amount_keeps_its_zeros() -> None:
    decoded = decode(encode(FULL))
    assert decoded.price is not None
    assert str(decoded.price.amount) == "25.00"


def test_the_same_row_gives_the_same_bytes() -> None:
    data = b"id,title,price\n1,Shirt,10.00 EUR\n"
    first, second = (read_feed("products.csv", data).products[0] for _ in range(2))
    assert encode(first) == encode(second)


def test_what_a_later_release_added_is_left_out() -> None:
    later = json.dumps({**json.loads(encode(FULL)), "material": "wool"}).encode()
    assert decode(later) == FULL

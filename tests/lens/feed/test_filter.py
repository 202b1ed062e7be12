"""The filter: its language, what it says of a product, and of many products at once.

Covers: filter, columns.
"""

from __future__ import annotations

import random
from contextlib import suppress
from decimal import Decimal

import numpy as np
import pytest

from lens.errors import FilterError
from lens.feed.columns import Columns
from lens.feed.encoding import encode
from lens.feed.filter import FIELDS, Filter, parse_filter
from lens.feed.product import AVAILABILITIES, Money, Product

SHIRT = Product(
    "SKU-1",
    price=Money(Decimal("60.00"), "EUR"),
    sale_price=Money(Decimal("49.90"), "EUR"),
    availability="in_stock",
    brand="Lando & Söhne",
    color="Red/Black",
    size="M",
    gender="female",
    category="Women/Dresses/Long",
    item_group_id="SKU",
)
BARE = Product("SKU-2")


def _parsed(text: str) -> Filter:
    found = parse_filter(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        "size=M",
        "size=m",
        " Size = L | M ",
        "brand=LANDO  & SÖHNE",
        'brand="Lando & Söhne"',
        "color=black",
        "color=Red",
        "color=red/black",
        "id=sku-1",
        "item_group_id=SKU",
        "product_type=women",
        "product_type=Women > Dresses",
        "product_type=Men|Women/Dresses/",
        "availability=in stock",
        "availability!=out_of_stock",
        "size!=S|L",
        "price=49.9",
        "price<=49.90",
        "price<50",
        "price>49.89 EUR",
        "price=40..50",
        "price=49.90..",
        "price=..49.90 EUR",
        "price=€20..€30|45..50",
        "price!=60",
        "sale_price>0",
        "price<=50;color=Black|Blue;availability=in_stock;",
    ],
)
def test_what_a_product_satisfies(text: str) -> None:
    assert _parsed(text).matches(SHIRT)


@pytest.mark.parametrize(
    "text",
    [
        "size=L",
        "color=re",
        "color=white",
        "id=SKU",
        "product_type=Dresses",
        "product_type=Wom",
        "availability=preorder",
        "size!=M",
        "price>=60",
        "price<49.9",
        "price>49.9",
        "price=50..60",
        "price<=50 USD",
        "sale_price=60",
        "price<=50;color=Blue",
    ],
)
def test_what_a_product_does_not_satisfy(text: str) -> None:
    assert not _parsed(text).matches(SHIRT)


def test_what_the_file_does_not_say_equals_nothing() -> None:
    for field in ("brand", "color", "size", "gender", "product_type"):
        assert not _parsed(f"{field}=x").matches(BARE)
        assert _parsed(f"{field}!=x").matches(BARE)
    assert not _parsed("price>=0").matches(BARE)
    assert not _parsed("availability=in_stock").matches(BARE)
    assert _parsed("availability!=out_of_stock").matches(BARE)


def test_marks_between_quotes_stand_for_themselves() -> None:
    odd = Product("1", size='2" | 3; 4')
    assert _parsed('size="2"" | 3; 4"').matches(odd)
    assert _parsed('size=S|"2"" | 3; 4";id=1').matches(odd)


def test_nothing_asked_for_is_no_filter() -> None:
    assert parse_filter("") is None
    assert parse_filter("  ") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour=red", "there is no field 'colour'; did you mean color?"),
        ("title=Shirt", "there is no field 'title'; there are: id, item_group_id, brand,"),
        ("red", "'red' is no condition; write it like price<=50;color=Blue|Black"),
        ("color:red", "is no condition"),
        ("color=", "color: there is no value"),
        ("color=red|", "color: there is no value"),
        (";", "a filter has 1 to 20 conditions"),
        (";".join(["size=M"] * 21), "a filter has 1 to 20 conditions"),
        ("size=" + "|".join(map(str, range(201))), "size: at most 200 values"),
        ("size<M", "size has no order; use = or !=, and < or > with prices"),
        ("price<=cheap", "price: 'cheap' is no price; write it as 25.00 USD"),
        ("price<=5|6", "price<= takes one amount; for several ranges: price=5..9|20..30"),
        ("price=..", "price: '..' is no range; write it like price=20..50 EUR"),
        ("price=20 EUR..30 USD", "is no range"),
        ("price=50..20", "is empty; write the lower price first"),
        ("availability=instock|gone", "availability: 'gone' is none of in_stock, out_of_stock,"),
        ('brand="A', "a quote is not closed in"),
        ('brand=A "B"', "put the whole value in quotes, not a part of it"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(text: str, told: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse_filter(text)
    assert told in str(refused.value)


def test_a_bare_number_is_of_no_currency() -> None:
    assert _parsed("size=M;sale_price=5..9").names_no_currency == "sale_price"
    assert _parsed("size=M;price=5..9 EUR").names_no_currency is None


def test_any_text_is_a_filter_or_refused() -> None:
    chance = random.Random(5)
    pieces = [*FIELDS, *'=!<>|;". ,€/', "..", "<=", ">=", "red", "5", "10 EUR", "in_stock", "\n"]
    read = []
    for _ in range(5_000):
        text = "".join(chance.choices(pieces, k=chance.randrange(1, 12)))
        with suppress(FilterError):
            read.append(parse_filter(text))
    assert len(read) > 20


def test_many_products_at_once_are_told_as_each_is() -> None:
    chance = random.Random(7)

    def money() -> Money | None:
        amount = Decimal(chance.randrange(1, 60)) / 2
        return Money(amount, chance.choice(["EUR", "USD", ""])) if chance.random() < 0.8 else None

    products = [
        Product(
            f"P{number}",
            price=money(),
            sale_price=money(),
            availability=chance.choice([None, *AVAILABILITIES]),
            brand=chance.choice(["", "A", "a", "B b"]),
            color=chance.choice(["", "Red", "red/Blue", "blue", "Green / Red"]),
            size=chance.choice("SML"),
            gender=chance.choice(["", "male", "female"]),
            category=chance.choice(["", "W", "W/D", "W/D/L", "WD"]),
            item_group_id=chance.choice(["", "G1", "G2"]),
        )
        for number in range(400)
    ]
    conditions = [
        *("brand=a", "brand!=A|b b", "color=red", "color!=blue", "size=S|M", "gender=male"),
        *("product_type=w", "product_type=W/D", "item_group_id=g1", "id=p7|P8|p9"),
        *("availability=in_stock|preorder", "availability!=out_of_stock"),
        *("price<=10", "price>10 EUR", "price=5..7.5|20..", "price!=3", "sale_price<12 USD"),
    ]
    columns = Columns.of(map(encode, products))
    for _ in range(200):
        wanted = _parsed(";".join(chance.sample(conditions, chance.randrange(1, 4))))
        assert columns.satisfying(wanted).tolist() == [wanted.matches(p) for p in products]


def test_the_currencies_that_some_products_are_paid_in() -> None:
    products = [
        Product("1", price=Money(Decimal(9), "EUR"), sale_price=Money(Decimal(1), "EUR")),
        Product("2", price=Money(Decimal(1), "CHF")),
        Product("3", price=Money(Decimal(1), "")),
        Product("4", price=Money(Decimal(1), "USD")),
    ]
    columns = Columns.of(map(encode, products))
    assert columns.currencies(np.array([True, True, True, False])) == {"EUR", "CHF"}
    assert columns.currencies(np.array([False, False, True, False])) == set()

"""Dates of sales: what each system writes, and which seconds they mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lens.feed.columns import Columns
from lens.feed.dates import end_of, start_of
from lens.feed.encoding import decode, encode
from lens.feed.feed import read_feed
from lens.feed.filter import parse_filter
from lens.feed.product import Money, Product

MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC).timestamp()
HOUR, DAY = 3_600, 86_400
SALE = Product(
    "a",
    price=Money(Decimal(20)),
    sale_price=Money(Decimal(10)),
    sale_from=MIDNIGHT,
    sale_until=MIDNIGHT + DAY,
)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-27", 0, DAY),
        ("11/27/26", 0, DAY),
        ("11/27/2026", 0, DAY),
        ("20261127", 0, DAY),
        ("2026-11-27 01:00:00", HOUR, HOUR + 1),
        ("2026-11-27T01:00:00Z", HOUR, HOUR + 1),
        ("2026-11-27T01:00+0100", 0, 1),
        (" 2026-11-27T01:00:00+01:00 ", 0, 1),
    ],
)
def test_a_day_is_whole_and_a_time_has_a_zone(text: str, start: float, end: float) -> None:
    assert start_of(text) - MIDNIGHT == start
    assert end_of(text) - MIDNIGHT == end


@pytest.mark.parametrize("last", ["9999-12-31", "9999-12-31T23:59:59-11:00", "12/31/9999"])
def test_the_last_day_that_there_is_has_an_end(last: str) -> None:
    row = f"id,title,price,sale_price,sale_price_effective_date\na,A,20,10,0001-01-01/{last}\n"
    (product,) = read_feed("p.csv", row.encode()).products
    assert product.at(MIDNIGHT) == decode(encode(product)) == product
    assert product.sale_price is not None


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "27.11.2026", "13/27/26", "0"])
def test_what_is_no_date_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="is no date; write it as 2026-11-28"):
        start_of(text)


def test_a_sale_holds_from_its_begin_to_its_end() -> None:
    without = replace(SALE, sale_price=None)
    assert SALE.at(MIDNIGHT - 1) == without
    assert SALE.at(MIDNIGHT) == SALE.at(MIDNIGHT + DAY - 1) == SALE
    assert SALE.at(MIDNIGHT + DAY) == without
    for product in (replace(SALE, sale_from=None), replace(SALE, sale_until=None)):
        assert product.at(MIDNIGHT + 1) == product
    assert decode(encode(SALE)) == SALE


def test_a_filter_sees_the_price_of_today() -> None:
    over = encode(replace(SALE, sale_until=1.0))
    running = encode(replace(SALE, sale_from=1.0, sale_until=None))
    wanted = parse_filter("price<=10")
    assert wanted is not None
    assert Columns.of([over, running]).satisfying(wanted).tolist() == [False, True]


GOOGLE = "id,title,price,sale_price,sale_price_effective_date\na,A,20,10,2026-11-27/2026-11-27\n"
WOO = (
    "ID,Type,SKU,Name,Regular price,Sale price,Date sale price starts,Date sale price ends\n"
    "1,simple,a,A,20,10,2026-11-27,2026-11-27\n"
)
MAGENTO = (
    "sku,product_type,name,price,special_price,special_price_from_date,special_price_to_date,"
    "url_key\na,simple,A,20,10,11/27/26,11/27/26,a\n"
)


@pytest.mark.parametrize("text", [GOOGLE, WOO, MAGENTO])
def test_each_system_s_columns_are_read(text: str) -> None:
    found = read_feed("p.csv", text.encode())
    (product,) = found.products
    assert found.problems == ()
    assert (product.sale_from, product.sale_until) == (MIDNIGHT, MIDNIGHT + DAY)


def test_a_bad_date_costs_itself_and_a_product_without_a_sale_has_none() -> None:
    bad = read_feed("p.csv", GOOGLE.replace("2026-11-27/", "soon/").encode())
    assert [(each.field, each.costs) for each in bad.problems] == [("sale_from", "field")]
    assert (bad.products[0].sale_from, bad.products[0].sale_until) == (None, MIDNIGHT + DAY)
    (plain,) = read_feed("p.csv", GOOGLE.replace(",10,", ",,").encode()).products
    assert (plain.sale_from, plain.sale_until) == (None, None)

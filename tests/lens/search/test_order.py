"""The order: by price and by stock, and what of it is settled before all is found."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from lens.errors import FieldError, FilterError
from lens.feed.filter import parse_filter
from lens.feed.product import Availability, Money, Product
from lens.gallery.gallery import Match
from lens.search.facets import COUNTED
from lens.search.order import Order, Sort
from lens.search.products import Offers
from lens.search.scope import Scope
from lens.search.wanted import Wanted
from tests.support.sold import gallery_with, photo_row


def _product(
    item: str, price: str = "", sale: str = "", stock: Availability = "in_stock", size: str = ""
) -> Product:
    def money(text: str) -> Money | None:
        amount, _, currency = text.partition(" ")
        return Money(Decimal(amount), currency) if text else None

    return Product(
        f"{item}-{size}" if size else item,
        size=size,
        price=money(price),
        sale_price=money(sale),
        availability=stock,
        item_group_id=item if size else "",
    )


def _order(
    products: Sequence[Product], sort: Sort, wanted: str = "", sold_out_last: bool = True
) -> Order:
    gallery = gallery_with(products)
    return Order(Offers(gallery, parse_filter(wanted)), sort, sold_out_last)


def _found(items: Sequence[str]) -> list[Match]:
    return [Match(photo_row(f"{item}/1.jpg", item), 1 - n / 10_000) for n, item in enumerate(items)]


def _arranged(order: Order, items: Sequence[str]) -> list[str]:
    return [match.row.item_id for match in order.arranged(_found(items))[0]]


def test_the_cheapest_or_the_dearest_is_first_by_what_is_paid() -> None:
    products = [
        _product("a", "30 EUR"),
        _product("b", "100 EUR", sale="9.50 EUR"),
        _product("c", "10 EUR"),
        _product("d"),
    ]
    assert _arranged(_order(products, "price"), "abcd") == ["b", "c", "a", "d"]
    assert _arranged(_order(products, "-price"), "dabc") == ["a", "c", "b", "d"]
    assert _arranged(_order(products, "similarity"), "dabc") == ["d", "a", "b", "c"]


def test_what_costs_the_same_stays_by_similarity_and_what_has_no_product_is_last() -> None:
    products = [_product(item, "5.0 EUR" if item == "a" else "5.00 EUR") for item in "abc"]
    for sort in ("price", "-price"):
        assert _arranged(_order(products, sort), "xcab") == ["c", "a", "b", "x"]


def test_amounts_of_two_currencies_are_not_compared() -> None:
    products = [
        _product("a", "900 JPY"),
        _product("b", "20 EUR"),
        _product("c", "1 USD"),
        _product("d", "10 EUR"),
        _product("e", "500 JPY"),
        _product("f", "30 EUR"),
        _product("g", "3"),
    ]
    assert _arranged(_order(products, "price"), "abcdefg") == list("dbfeagc")
    assert _arranged(_order(products, "-price"), "abcdefg") == list("fbdaegc")


def test_the_price_is_that_of_the_variant_that_is_shown() -> None:
    """The cheapest size is sold out, and a filter may ask for another one."""
    products = [
        _product("a", "5 EUR", stock="out_of_stock", size="S"),
        _product("a", "50 EUR", size="M"),
        _product("b", "20 EUR", size="S"),
        _product("b", "90 EUR", size="M"),
    ]
    assert _arranged(_order(products, "price"), "ab") == ["b", "a"]
    assert _arranged(_order(products, "price", "size=M"), "ba") == ["a", "b"]


def test_sold_out_is_last_whatever_it_costs() -> None:
    products = [
        _product("a", "1 EUR", stock="out_of_stock"),
        _product("b", "30 EUR"),
        _product("c"),
        _product("d", "2 EUR", stock="out_of_stock"),
    ]
    assert _arranged(_order(products, "price"), "dabc") == ["b", "c", "a", "d"]
    assert _arranged(_order(products, "-price"), "abcd") == ["b", "c", "d", "a"]
    assert _arranged(_order(products, "similarity"), "dabc") == ["b", "c", "d", "a"]
    kept = _order(products, "price", sold_out_last=False)
    assert _arranged(kept, "dabc") == ["a", "d", "b", "c"]


def test_each_block_of_items_is_arranged_by_itself() -> None:
    items = [f"i{n:04}" for n in range(2 * COUNTED + 10)]
    sold_out = {items[3], items[COUNTED + 5], items[-4]}
    products = [
        _product(item, stock="out_of_stock" if item in sold_out else "in_stock") for item in items
    ]
    arranged = _arranged(_order(products, "similarity"), items)
    for first in range(0, len(items), COUNTED):
        block = items[first : first + COUNTED]
        gone = [item for item in block if item in sold_out]
        assert arranged[first : first + COUNTED] == [
            *(item for item in block if item not in sold_out),
            *gone,
        ]
        assert len(gone) == 1


@pytest.mark.parametrize("sort", ["similarity", "price"])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_settled_stays_whatever_else_is_found(sort: Sort, seed: int) -> None:
    chance = random.Random(seed)
    items = [f"i{n:03}" for n in range(COUNTED)]
    stocks: list[Availability] = ["in_stock", "in_stock", "out_of_stock"]
    products = [
        _product(item, f"{chance.randint(1, 50)} EUR", stock=chance.choice(stocks))
        for item in items
    ]
    order = _order(products, sort)
    whole = _arranged(order, items)
    for count in (0, 1, 13, 60, COUNTED):
        arranged, settled = order.arranged(_found(items[:count]))
        assert [match.row.item_id for match in arranged[:settled]] == whole[:settled]
        assert settled == count or count < COUNTED
        if sort == "similarity":
            assert settled == sum(p.availability == "in_stock" for p in products[:count]) or (
                count == COUNTED
            )


def test_photos_are_not_sorted_by_price_nor_anything_without_a_product_file() -> None:
    with pytest.raises(FieldError, match="sort: items are sorted by price, photos are not; send"):
        Wanted(sort="price")
    scope = Scope(replace(gallery_with([]), shelf=None), None, None, None, "last")
    assert scope.order("similarity").arranged([]) == ([], 0)
    with pytest.raises(FilterError, match="there is no product file to sort by"):
        scope.order("-price")

"""Paging: all pages together are one large search, however much an index misses.

Covers: paging.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

import pytest

from lens.feed.product import Availability, Money, Product
from lens.gallery.gallery import Match
from lens.search.facets import COUNTED
from lens.search.order import Order
from lens.search.paging import DEEPEST, Nearest, Page, Pages
from lens.search.products import Offers
from lens.search.wanted import Wanted
from tests.support.sold import gallery_with, photo_row

FIRST = Wanted().place("photo", "p", state="s")


def _matches(count: int) -> list[Match]:
    return [Match(photo_row(f"{n:05}.jpg", f"i{n // 3}"), 1 - n / 10_000) for n in range(count)]


def _keys(matches: Sequence[Match]) -> list[str]:
    return [match.row.key for match in matches]


def _items(matches: Sequence[Match]) -> list[str]:
    return [match.row.item_id for match in matches]


def _all(nearest: Nearest, top_k: int, order: Order | None = None) -> list[Page]:
    pages, cursor = Pages(), FIRST
    found = []
    while True:
        page = pages.page(nearest, _keys, top_k, cursor, order)
        found.append(page)
        if page.cursor is None:
            return found
        cursor = page.cursor


@pytest.mark.parametrize("top_k", [1, 7, 12, 100])
@pytest.mark.parametrize("count", [0, 1, 7, 12, 13, 199, 200, 201, 600])
def test_all_pages_are_one_large_search(top_k: int, count: int) -> None:
    everything = _matches(count)
    pages = _all(lambda depth: everything[:depth], top_k)
    assert [match for page in pages for match in page.matches] == everything
    assert all(len(page.matches) == top_k for page in pages[:-1])
    assert [page.first_rank for page in pages] == [1 + top_k * n for n in range(len(pages))]
    assert pages[-1].matches or count == 0


def test_pages_reach_so_deep_and_no_deeper() -> None:
    everything = _matches(DEEPEST + 500)
    pages = _all(lambda depth: everything[:depth], 90)
    assert [match for page in pages for match in page.matches] == everything[:DEEPEST]


@pytest.mark.parametrize("seed", range(20))
def test_an_index_that_misses_some_makes_no_page_repeat_or_leave_out_a_hit(seed: int) -> None:
    chance = random.Random(seed)
    everything = _matches(700)
    late = {match.row.key: chance.choice([0, 0, 0, 50, 300]) for match in everything}

    def nearest(depth: int) -> Sequence[Match]:
        """What lies in the first lists; more of it the deeper one looks."""
        return [match for match in everything if late[match.row.key] < depth][:depth]

    keys = [match.row.key for page in _all(nearest, 12) for match in page.matches]
    assert len(keys) == len(set(keys))
    assert set(keys) == {match.row.key for match in nearest(DEEPEST)}


def test_of_two_hits_of_one_item_one_is_enough() -> None:
    everything = _matches(30)
    page = Pages().page(lambda depth: everything[:depth], _items, 4, FIRST)
    assert [match.row.key for match in page.matches] == [f"{n:05}.jpg" for n in (0, 3, 6, 9)]


def test_a_deep_search_is_made_once() -> None:
    asked: list[int] = []
    everything = _matches(600)

    def nearest(depth: int) -> Sequence[Match]:
        asked.append(depth)
        return everything[:depth]

    pages = Pages()
    cursor = FIRST.next()
    for _ in range(5):  # a request each
        page = pages.page(pages.kept(nearest, "s"), _keys, 12, cursor)
        assert page.cursor is not None
        cursor = page.cursor
    assert asked == [13, 200, 13, 13, 13, 13]
    pages.kept(nearest, "t")(200)
    assert asked[-1] == 200


def test_one_request_asks_for_no_hit_twice() -> None:
    asked: list[int] = []
    everything = _matches(40)

    def nearest(depth: int) -> Sequence[Match]:
        asked.append(depth)
        return everything[:depth]

    pages = Pages()
    kept = pages.kept(nearest, "s")
    assert kept(13) == everything[:13]
    page = pages.page(kept, _keys, 12, FIRST)
    assert page.matches == everything[:12]
    assert page.cursor is not None
    assert asked == [13]
    assert kept(200) == everything  # there are no more
    assert asked == [13, 200]


def _sold(count: int, chance: random.Random) -> Offers:
    stocks: list[Availability] = ["in_stock", "in_stock", "out_of_stock"]
    products = [
        Product(
            f"i{n}",
            price=Money(Decimal(chance.randint(1, 90)), "EUR"),
            availability=chance.choice(stocks),
        )
        for n in range(count)
    ]
    return Offers(gallery_with(products))


@pytest.mark.parametrize("top_k", [1, 12, 60, 100])
@pytest.mark.parametrize("count", [0, 5, 200, 201, 450])
def test_all_pages_are_one_search_with_what_is_sold_out_last(top_k: int, count: int) -> None:
    everything = [Match(photo_row(f"{n}.jpg", f"i{n}"), 1 - n / 10_000) for n in range(count)]
    order = Order(_sold(count, random.Random(count)), sold_out_last=True)
    pages = _all(lambda depth: everything[:depth], top_k, order)
    found = [match for page in pages for match in page.matches]
    assert found == order.arranged(everything)[0]
    assert all(len(page.matches) == top_k for page in pages[:-1])
    gone = [order.offers.is_sold_out(match.row) for match in found[:COUNTED]]
    assert gone == sorted(gone)


@pytest.mark.parametrize("top_k", [1, 12, 90, 100])
@pytest.mark.parametrize("count", [0, 5, 199, 200, 450])
def test_pages_by_price_are_of_the_nearest_items_alone(top_k: int, count: int) -> None:
    everything = [Match(photo_row(f"{n}.jpg", f"i{n}"), 1 - n / 10_000) for n in range(count)]
    order = Order(_sold(count, random.Random(count)), "price")
    pages = _all(lambda depth: everything[:depth], top_k, order)
    found = [match for page in pages for match in page.matches]
    assert found == order.arranged(everything[:COUNTED])[0]
    assert len({match.row.key for match in found}) == min(count, COUNTED)


def test_a_page_without_anything_sold_out_looks_no_deeper() -> None:
    asked: list[int] = []
    everything = [Match(photo_row(f"{n}.jpg", f"i{n}"), 1 - n / 10_000) for n in range(600)]

    def nearest(depth: int) -> Sequence[Match]:
        asked.append(depth)
        return everything[:depth]

    stock: dict[bool, Availability] = {False: "in_stock", True: "out_of_stock"}
    for gone, depths in ((50, [13]), (3, [13, COUNTED])):
        products = [Product(f"i{n}", availability=stock[n == gone]) for n in range(600)]
        order = Order(Offers(gallery_with(products)), sold_out_last=True)
        Pages().page(nearest, _items, 12, FIRST, order)
        assert asked == depths
        asked.clear()


@pytest.mark.parametrize("seed", range(5))
def test_an_index_that_misses_some_sells_none_twice(seed: int) -> None:
    chance = random.Random(seed)
    everything = [Match(photo_row(f"{n}.jpg", f"i{n}"), 1 - n / 10_000) for n in range(700)]
    late = {match.row.key: chance.choice([0, 0, 0, 50, 300]) for match in everything}
    order = Order(_sold(700, chance), sold_out_last=True)

    def nearest(depth: int) -> Sequence[Match]:
        return [match for match in everything if late[match.row.key] < depth][:depth]

    keys = [match.row.key for page in _all(nearest, 12, order) for match in page.matches]
    assert len(keys) == len(set(keys))
    assert set(keys) == {match.row.key for match in nearest(DEEPEST)}

"""Facets: how many of the nearest items would be left if a value were asked for too."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from lens.errors import FilterError
from lens.feed.filter import Filter, parse_filter
from lens.feed.product import AVAILABILITIES, Money, Product
from lens.gallery.gallery import Match
from lens.search.facets import FACETS, Count, PriceRange, count_facets, parse_facets
from lens.search.products import Offers
from tests.support.sold import gallery_with, photo_row


def _money(amount: str, currency: str = "EUR") -> Money:
    return Money(Decimal(amount), currency)


PRODUCTS = [
    Product("A-S", item_group_id="A", size="S", color="Blue", brand="Ann", price=_money("9.50")),
    Product("A-M", item_group_id="A", size="M", color="blue", brand="Ann", price=_money("12")),
    Product("B", size="M", color="Red", brand="ANN", price=_money("30"), sale_price=_money("5")),
    Product("C", size="M", availability="in_stock", price=_money("100", "JPY")),
]
ROWS = [photo_row(f"{name}/1.jpg")._replace(category=name.lower()) for name in "ABCD"]


def _count(text: str, wanted: Filter | None = None) -> dict[str, object]:
    gallery = gallery_with(PRODUCTS, ROWS)
    items = [Match(row, 0.5) for row in ROWS]
    found = count_facets(Offers(gallery, wanted), items, parse_facets(text))
    return {facet: getattr(found, facet) for facet in FACETS}


def test_an_item_counts_once_for_each_value_that_a_variant_has() -> None:
    found = _count("size,brand,color")
    assert found["size"] == (Count("M", 3), Count("S", 1))
    assert found["brand"] == (Count("Ann", 2),)
    assert found["color"] == (Count("Blue", 1), Count("Red", 1))
    assert found["price"] is None
    assert found["category"] is None


def test_variants_that_do_not_satisfy_the_filter_do_not_count() -> None:
    found = _count("size,price", parse_filter("color=blue;price<10 EUR"))
    assert found["size"] == (Count("S", 1),)
    assert found["price"] == (PriceRange(_money("9.50"), _money("9.50"), 1),)


def test_a_price_is_what_the_shopper_pays_in_each_currency() -> None:
    assert _count("price")["price"] == (
        PriceRange(_money("5"), _money("12"), 2),
        PriceRange(_money("100", "JPY"), _money("100", "JPY"), 1),
    )


def test_categories_are_the_photos_own() -> None:
    assert _count("category")["category"] == tuple(Count(name, 1) for name in "abcd")
    assert _count("availability")["availability"] == (Count("in_stock", 1),)


def test_without_a_product_file_only_categories_are_counted() -> None:
    gallery = gallery_with([], ROWS)
    found = count_facets(Offers(gallery), [Match(row, 0.5) for row in ROWS], FACETS)
    assert (found.brand, found.price) == ((), ())
    assert found.category is not None


@pytest.mark.parametrize("seed", range(10))
def test_a_count_is_how_many_a_filter_by_it_leaves(seed: int) -> None:
    chance = random.Random(seed)
    products = [
        Product(
            f"P{n}",
            item_group_id=f"G{n // 3}",
            brand=chance.choice(["a", "A", "b", ""]),
            size=chance.choice("SML"),
            availability=chance.choice([None, *AVAILABILITIES]),
        )
        for n in range(30)
    ]
    rows = [photo_row(f"G{n}/1.jpg") for n in range(10)]
    gallery = gallery_with(products, rows)
    wanted = parse_filter("size=S|M")
    items = [Match(row, 0.5) for row in rows]
    found = count_facets(Offers(gallery, wanted), items, ("brand", "availability"))
    for facet in ("brand", "availability"):
        counts = getattr(found, facet)
        assert counts
        for count in counts:
            narrower = parse_filter(f"size=S|M;{facet}={count.value}")
            assert narrower is not None
            left = [row for row in rows if Offers(gallery, narrower).may_show(row)]
            assert len(left) == count.items


def test_facets_are_named_between_commas() -> None:
    assert parse_facets("") == ()
    assert parse_facets("price, Brand,brand") == ("brand", "price")
    with pytest.raises(FilterError, match="there is no facet 'title'; there are: category, brand"):
        parse_facets("brand,title")

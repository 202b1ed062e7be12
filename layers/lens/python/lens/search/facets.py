"""Facets: of the nearest items, how many have which brand, color, size, ...: what is worth
filtering by next. An item counts for each value that one of its variants has, of those that a photo
may show and that satisfy the filter: so many would be left if the value were asked for too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from lens.errors import FilterError
from lens.feed.filter import folded, value_of
from lens.feed.product import Money, Product
from lens.gallery.gallery import Match
from lens.search.products import Offers

Facet = Literal["category", "brand", "color", "size", "availability", "price"]
FACETS: tuple[Facet, ...] = get_args(Facet)
COUNTED = 200  # items, the nearest


@dataclass(frozen=True)
class Count:
    """How many items have a value."""

    value: str
    items: int


@dataclass(frozen=True)
class PriceRange:
    """The least and the most that a shopper pays, in one currency, and for how many items."""

    low: Money
    high: Money
    items: int


@dataclass(frozen=True)
class Facets:
    """What was counted, the most first; None where it was not asked for."""

    category: tuple[Count, ...] | None = None
    brand: tuple[Count, ...] | None = None
    color: tuple[Count, ...] | None = None
    size: tuple[Count, ...] | None = None
    availability: tuple[Count, ...] | None = None
    price: tuple[PriceRange, ...] | None = None


def parse_facets(text: str) -> tuple[Facet, ...]:
    """The facets that a text names, between commas. Raises FilterError."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FACETS:
            raise FilterError(f"there is no facet {name!r}; there are: {', '.join(FACETS)}")
    return tuple(facet for facet in FACETS if facet in names)


def count_facets(offers: Offers, items: Sequence[Match], facets: Sequence[Facet]) -> Facets:
    """Of a photo of each item."""
    rows = [match.row for match in items]
    offers.look_up(rows)
    shown = [offers.may_show(row) for row in rows]
    counts: dict[str, tuple[Count, ...]] = {}
    for facet in facets:
        if facet == "category":
            counts[facet] = _counts([row.category] for row in rows)
        elif facet != "price":
            counts[facet] = _counts([str(value_of(p, facet)) for p in each] for each in shown)
    return Facets(**counts, price=_prices(shown) if "price" in facets else None)


def _counts(items: Iterable[Sequence[str]]) -> tuple[Count, ...]:
    """Of each value of any item, as it was written first."""
    written: dict[str, str] = {}
    counts: dict[str, int] = {}
    for values in items:
        for plain, value in {folded(value): value for value in reversed(values)}.items():
            if plain:
                written.setdefault(plain, value)
                counts[plain] = counts.get(plain, 0) + 1
    order = sorted(counts, key=lambda plain: (-counts[plain], plain))
    return tuple(Count(written[plain], counts[plain]) for plain in order)


def _prices(items: Iterable[Sequence[Product]]) -> tuple[PriceRange, ...]:
    found: dict[str, list[list[Money]]] = {}
    for products in items:
        paid: dict[str, list[Money]] = {}
        for product in products:
            price = value_of(product, "price")
            if isinstance(price, Money):
                paid.setdefault(price.currency, []).append(price)
        for currency, prices in paid.items():
            found.setdefault(currency, []).append(prices)
    ranges = [
        PriceRange(
            min((price for prices in each for price in prices), key=lambda price: price.amount),
            max((price for prices in each for price in prices), key=lambda price: price.amount),
            len(each),
        )
        for each in found.values()
    ]
    return tuple(sorted(ranges, key=lambda each: (-each.items, each.low.currency)))

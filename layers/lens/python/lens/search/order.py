"""The order: which of the nearest items come first, by price and by whether they are to be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from lens.feed.filter import value_of
from lens.feed.product import Money
from lens.gallery.gallery import Match
from lens.search.facets import COUNTED
from lens.search.products import Offers

Sort = Literal["similarity", "price", "-price"]
SoldOut = Literal["last", "hide", "keep"]


@dataclass(frozen=True)
class Order:
    """Of items that come the most similar first, so many together as facets are counted over: the
    first of these blocks, then the next."""

    offers: Offers
    sort: Sort = "similarity"
    sold_out_last: bool = False

    @property
    def is_of_one_block(self) -> bool:
        """Whether there is no second one: cheap, dear, and cheap again is no order by price."""
        return self.sort != "similarity"

    def arranged(self, nearest: Sequence[Match]) -> tuple[list[Match], int]:
        """The same in this order, what is alike in it the most similar first; and how many of the
        first stay where they are whatever else is found."""
        self.offers.look_up(match.row for match in nearest)
        matches: list[Match] = []
        settled = 0
        for first in range(0, len(nearest), COUNTED):
            block = nearest[first : first + COUNTED]
            gone = [self.sold_out_last and self.offers.is_sold_out(match.row) for match in block]
            matches += self._sorted(block, gone)
            if len(block) == COUNTED:
                settled += len(block)
            elif self.sort == "similarity":
                settled += gone.count(False)
        return matches, settled

    def _sorted(self, block: Sequence[Match], gone: Sequence[bool]) -> list[Match]:
        places: Sequence[Any] = gone
        if self.sort != "similarity":
            places = list(zip(gone, self._by_price(block), strict=True))
        return [block[n] for n in sorted(range(len(block)), key=places.__getitem__)]

    def _by_price(self, block: Sequence[Match]) -> list[tuple[int, Decimal]]:
        """Amounts of two currencies cannot be compared: the currency that most have comes first,
        and what has no price last."""
        prices = [self._price(match) for match in block]
        counts = Counter(price.currency for price in prices if price)
        currencies = sorted(counts, key=lambda currency: (-counts[currency], currency))
        last = len(currencies), Decimal(0)
        sign = -1 if self.sort == "-price" else 1
        return [
            (currencies.index(price.currency), sign * price.amount) if price else last
            for price in prices
        ]

    def _price(self, match: Match) -> Money | None:
        """What a shopper pays for the variant that is shown."""
        product = self.offers.shown(match.row)
        price = value_of(product, "price") if product else None
        return price if isinstance(price, Money) else None

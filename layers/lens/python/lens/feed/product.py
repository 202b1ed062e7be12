"""The product: what a feed says about one thing that a shop sells, in Google Merchant's fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, get_args

Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder"]
AVAILABILITIES: tuple[Availability, ...] = get_args(Availability)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency, ISO 4217; empty where the feed names none."""

    amount: Decimal
    currency: str = ""

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}".strip()


@dataclass(frozen=True, slots=True)
class Product:
    """One variant: what has a price and a stock of its own. Empty where the feed says nothing.

    `category` is a path with slashes, like a photo's. `item_group_id` joins the variants of one
    product; a product without variants has none. `images` are addresses or paths, the face first.
    """

    id: str
    title: str = ""
    description: str = ""
    link: str = ""  # an address; of an export without them, a path in the shop
    images: tuple[str, ...] = ()
    price: Money | None = None
    sale_price: Money | None = None
    # When the sale price holds, in seconds since the epoch; None where the feed sets no bound.
    sale_from: float | None = None
    sale_until: float | None = None
    availability: Availability | None = None
    brand: str = ""
    color: str = ""
    size: str = ""
    gender: str = ""
    category: str = ""
    item_group_id: str = ""

    def at(self, now: float) -> Product:
        """The product as it is sold at a time: a sale that has not begun or is over is none."""
        begun = self.sale_from is None or self.sale_from <= now
        if begun and (self.sale_until is None or now < self.sale_until):
            return self
        return replace(self, sale_price=None)

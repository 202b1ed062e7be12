"""Encoding: a product as JSON and back, the same bytes for the same product."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal
from typing import Any

from lens.feed.product import Money, Product

_MONEY = ("price", "sale_price")
_NAMES = tuple(field.name for field in fields(Product))
_AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(product: Product) -> bytes:
    """A product's fields that say something, as one line of JSON."""
    given: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(product, name)
        if isinstance(value, Money):
            given[name] = [str(value.amount), value.currency]
        elif value:
            given[name] = value
    return _AS_JSON(given).encode()


def decode(data: bytes, currency: str = "") -> Product:
    """The product that was encoded; fields that a later release added are left out. An amount
    without a currency is in the one that is given."""
    given = {name: value for name, value in json.loads(data).items() if name in _NAMES}
    for name in _MONEY:
        if name in given:
            amount, own = given[name]
            given[name] = Money(Decimal(amount), own or currency)
    if "images" in given:
        given["images"] = tuple(given["images"])
    return Product(**given)

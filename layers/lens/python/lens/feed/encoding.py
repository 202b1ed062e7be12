"""Encoding: a product as JSON and back, the same bytes for the same product."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal
from typing import Any

from lens.feed.product import Money, Product

_MONEY = ("price", "sale_price")


def encode(product: Product) -> bytes:
    """A product's fields that say something, as one line of JSON."""
    given: dict[str, Any] = {}
    for field in fields(Product):
        value = getattr(product, field.name)
        if isinstance(value, Money):
            given[field.name] = [str(value.amount), value.currency]
        elif value:
            given[field.name] = value
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()


def decode(data: bytes) -> Product:
    """The product that was encoded; fields that a later release added are left out."""
    known = {field.name for field in fields(Product)}
    given = {name: value for name, value in json.loads(data).items() if name in known}
    for name in _MONEY:
        if name in given:
            amount, currency = given[name]
            given[name] = Money(Decimal(amount), currency)
    if "images" in given:
        given["images"] = tuple(given["images"])
    return Product(**given)

"""Product schemas: the JSON of what the shop's product file says, of a photo and of many."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import TypeAliasType

from lambdas.search.addresses import Addresses
from lambdas.search.schema import Schema
from lens.feed.product import Availability, Money, Product
from lens.search.facets import Count, Facets, PriceRange
from lens.search.products import Sold

# With a name of its own, so that generated clients have one type for it.
Stock = TypeAliasType("Stock", Availability)


class MoneySchema(Schema):
    """An amount of money, as exact as the product file has it."""

    amount: str = Field(examples=["25.00"])
    currency: str = Field(description="ISO 4217; empty: not said", examples=["EUR"])


class VariantSchema(Schema):
    """What has a price and a stock of its own; empty and null where the product file is silent."""

    id: str = Field(description="the shop's own", examples=["MJ08-M-Blue"])
    link: str = Field(examples=["https://shop.example/mj08?size=M"])
    price: MoneySchema | None
    sale_price: MoneySchema | None
    availability: Stock | None = Field(examples=["in_stock"])
    color: str = Field(examples=["Blue"])
    size: str = Field(examples=["M"])


class ProductSchema(VariantSchema):
    """What a photo shows, as the shop sells it; the fields are Google Merchant's."""

    title: str = Field(examples=["Lando Gym Jacket"])
    brand: str = Field(examples=["Lando"])
    item_group_id: str = Field(description="what its variants share", examples=["MJ08"])
    variants: list[VariantSchema] = Field(description="all of the item's, itself too; at most 100")


class CountSchema(Schema):
    """How many items have a value; upper and lower case are alike."""

    value: str = Field(examples=["Blue"])
    items: int = Field(examples=[31])


class PriceRangeSchema(Schema):
    """What a shopper pays at least and at most, in one currency, and for how many items."""

    low: MoneySchema
    high: MoneySchema
    items: int = Field(examples=[180])


class FacetsSchema(Schema):
    """Counted over the first 200 items, the most first; null where it was not asked for."""

    category: list[CountSchema] | None
    brand: list[CountSchema] | None
    color: list[CountSchema] | None
    size: list[CountSchema] | None
    availability: list[CountSchema] | None
    price: list[PriceRangeSchema] | None


def product_schema(sold: Sold | None, addresses: Addresses) -> ProductSchema | None:
    """What is sold, as JSON."""
    return _product(sold, addresses) if sold else None


def _product(sold: Sold, addresses: Addresses) -> ProductSchema:
    product = sold.product
    return ProductSchema(
        **_variant(product, addresses),
        title=product.title,
        brand=product.brand,
        item_group_id=product.item_group_id,
        variants=[VariantSchema(**_variant(each, addresses)) for each in sold.variants],
    )


def _variant(product: Product, addresses: Addresses) -> dict[str, Any]:
    return {
        "id": product.id,
        "link": addresses.product(product.link),
        "price": _money(product.price),
        "sale_price": _money(product.sale_price),
        "availability": product.availability,
        "color": product.color,
        "size": product.size,
    }


def _money(money: Money | None) -> MoneySchema | None:
    return _amount(money) if money else None


def _amount(money: Money) -> MoneySchema:
    return MoneySchema(amount=str(money.amount), currency=money.currency)


def facets_schema(facets: Facets | None) -> FacetsSchema | None:
    """What was counted, as JSON."""
    if facets is None:
        return None
    return FacetsSchema(
        category=_counts(facets.category),
        brand=_counts(facets.brand),
        color=_counts(facets.color),
        size=_counts(facets.size),
        availability=_counts(facets.availability),
        price=_ranges(facets.price),
    )


def _counts(counts: tuple[Count, ...] | None) -> list[CountSchema] | None:
    if counts is None:
        return None
    return [CountSchema(value=each.value, items=each.items) for each in counts]


def _ranges(ranges: tuple[PriceRange, ...] | None) -> list[PriceRangeSchema] | None:
    if ranges is None:
        return None
    return [
        PriceRangeSchema(low=_amount(each.low), high=_amount(each.high), items=each.items)
        for each in ranges
    ]

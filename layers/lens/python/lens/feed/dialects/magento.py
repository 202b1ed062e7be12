"""Magento's export of products: a configurable product names its variations, which follow or came
before it, and what else is known of a product lies in one field, `additional_attributes`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from lens.feed.dialects.draft import (
    Draft,
    Told,
    deepest,
    first_of,
    no,
    once,
    option_fields,
    pictures_in,
)
from lens.feed.tables import TableRow

NAME = "Magento"
_DISABLED = "2"
_NOWHERE = "not visible individually"
_VARIATION = re.compile(r"(?:^|[|,])sku=([^,|]+)")


def recognizes(columns: frozenset[str]) -> bool:
    """Its own names."""
    return {"sku", "product_type"} <= columns and not columns.isdisjoint(
        {"attribute_set_code", "url_key", "configurable_variations", "product_online"}
    )


def drafts(rows: Iterator[TableRow], told: Told) -> Iterator[Draft]:
    """A simple product is one; those of a configurable product are a group."""
    known: dict[str, TableRow] = {}
    for row in rows:
        # Further rows of a SKU translate it for a store view: the first is of all.
        if row["sku"]:
            known.setdefault(row["sku"], row)
    parents: dict[str, TableRow] = {}
    for row in known.values():
        for child in _VARIATION.findall(row["configurable_variations"]):
            parents.setdefault(child.strip(), row)
    for sku, row in known.items():
        parent = parents.get(sku)
        kind = row["product_type"].lower()
        if kind == "configurable" and row["configurable_variations"]:
            continue  # told by its variations
        if _disabled(row) or (parent is not None and _disabled(parent)):
            told.leave_out("not enabled")
        elif parent is None and row["visibility"].lower() == _NOWHERE:
            told.leave_out("not visible, and no part of a configurable product")
        else:
            yield _draft(sku, row, parent)


def _disabled(row: TableRow) -> bool:
    return row["product_online"] == _DISABLED


def _draft(sku: str, row: TableRow, parent: TableRow | None) -> Draft:
    def own_or_parents(*columns: str) -> str:
        return first_of(row, *columns) or (first_of(parent, *columns) if parent else "")

    own = _attributes(row)
    whole = {**(_attributes(parent) if parent else {}), **own}
    category = deepest(own_or_parents("categories"), "/")
    fields: Mapping[str, str] = {
        "id": sku,
        "path": _path(parent or row),
        "title": parent["name"] if parent and parent["name"] else row["name"],
        "description": own_or_parents("description", "short_description"),
        "price": own_or_parents("price"),
        "sale_price": own_or_parents("special_price"),
        "sale_from": own_or_parents("special_price_from_date"),
        "sale_until": own_or_parents("special_price_to_date"),
        "availability": _availability(row),
        "brand": whole.get("manufacturer", whole.get("brand", "")),
        "gender": whole.get("gender", ""),
        **option_fields(own.items()),
        "product_type": category.removeprefix("Default Category/"),
        "item_group_id": parent["sku"] if parent else "",
    }
    pictures = [
        picture
        for each in (row, parent)
        if each is not None
        for picture in (each["base_image"], *pictures_in(each["additional_images"]))
    ]
    return Draft(row.line, fields, once(pictures))


def _path(row: TableRow) -> str:
    """Magento's own way to write addresses; a shop may have changed the suffix."""
    return f"/{quote(row['url_key'])}.html" if row["url_key"] else ""


def _attributes(row: TableRow) -> dict[str, str]:
    """`color=Black,size=M`; a value with a comma in it has a blank or no name behind the comma."""
    pairs = re.split(r",(?=[a-zA-Z0-9_]+=)", row["additional_attributes"])
    return {
        name: value for name, equals, value in (pair.partition("=") for pair in pairs) if equals
    }


def _availability(row: TableRow) -> str:
    if row["is_in_stock"]:
        return "out_of_stock" if no(row["is_in_stock"]) else "in_stock"
    try:
        return "in_stock" if float(row["qty"]) > 0 else "out_of_stock"
    except ValueError:
        return ""

"""WooCommerce's export of products: variations name their parent, by SKU or as id:NUMBER."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
from lens.feed.dialects.woocommerce_columns import in_english
from lens.feed.tables import TableRow

NAME = "WooCommerce"
_MOST_ATTRIBUTES = 20


def recognizes(columns: frozenset[str]) -> bool:
    """Its own names of type and price, in a language that is known."""
    return {"type", "sku", "name", "regular price"} <= set(map(in_english, columns))


def drafts(rows: Iterator[TableRow], told: Told) -> Iterator[Draft]:
    """A variation is a product of its parent's group; a parent itself is sold only as those."""
    known = [
        TableRow(row.line, {in_english(column): value for column, value in row.fields.items()})
        for row in rows
    ]
    parents: dict[str, TableRow] = {}
    for row in known:
        if _types(row).isdisjoint({"variation"}):
            parents[f"id:{row['id']}"] = row
            if row["sku"]:
                parents[row["sku"]] = row
    for row in known:
        kinds = _types(row)
        parent = parents.get(row["parent"]) if "variation" in kinds else None
        if not kinds.isdisjoint({"variable", "grouped"}):
            continue  # told by its variations, or by what it groups
        if no(row["published"]) or (parent is not None and no(parent["published"])):
            told.leave_out("not published")
            continue
        if (parent or row)["visibility in catalog"].lower() == "hidden":
            told.leave_out("hidden from the shop's catalog")
            continue
        yield _draft(row, parent)


def _types(row: TableRow) -> set[str]:
    return {kind.strip() for kind in row["type"].lower().split(",")}


def _draft(row: TableRow, parent: TableRow | None) -> Draft:
    def own_or_parents(*columns: str) -> str:
        return first_of(row, *columns) or (first_of(parent, *columns) if parent else "")

    options = [*_attributes(row), *(_attributes(parent) if parent else ())]
    group = (parent["sku"] or parent["id"]) if parent else ""
    fields: Mapping[str, str] = {
        "id": row["sku"] or row["id"],
        "title": own_or_parents("name"),
        # It writes the end of a line as two signs.
        "description": own_or_parents("description", "short description").replace("\\n", "\n"),
        "link": row["external url"],
        "path": _path(row, parent),
        "price": own_or_parents("regular price"),
        "sale_price": own_or_parents("sale price"),
        "sale_from": own_or_parents("date sale price starts"),
        "sale_until": own_or_parents("date sale price ends"),
        "availability": _availability(row),
        "brand": own_or_parents("brands", "brand"),
        **option_fields((name, value) for name, value in options if "," not in value),
        "product_type": deepest(own_or_parents("categories"), ">"),
        "item_group_id": group,
    }
    pictures = pictures_in(row["images"]) + (pictures_in(parent["images"]) if parent else [])
    return Draft(row.line, fields, once(pictures))


def _path(row: TableRow, parent: TableRow | None) -> str:
    """WordPress leads from a number to the product's page, whatever that page is called."""
    number = (parent or row)["id"]
    return f"/?post_type=product&p={number}" if number.isdigit() else ""


def _attributes(row: TableRow) -> Iterator[tuple[str, str]]:
    for number in range(1, _MOST_ATTRIBUTES + 1):
        name = row[f"attribute {number} name"]
        if name:
            yield name, row[f"attribute {number} value(s)"]


def _availability(row: TableRow) -> str:
    state = row["in stock?"].lower()
    if state == "backorder":
        return "backorder"
    return "out_of_stock" if no(state) else "in_stock"

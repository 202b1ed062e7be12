"""Shopify's export of products: a row for each variant or picture of a product, of which only the
first tells what they share; a file that was sorted since has them apart. Its columns were renamed
once: both are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from lens.feed.dialects.draft import Draft, Told, first_of, no, once, option_fields, sale
from lens.feed.tables import TableRow

NAME = "Shopify"
_HANDLE = ("handle", "url handle")
_SKU = ("variant sku", "sku")
_PRICE = ("variant price", "price")
_BEFORE = ("variant compare at price", "compare-at price")
_STOCK = ("variant inventory qty", "inventory quantity")
_TRACKER = ("variant inventory tracker", "inventory tracker")
_POLICY = ("variant inventory policy", "continue selling when out of stock")
_PICTURE = ("image src", "product image url")
_OWN_PICTURE = ("variant image", "variant image url")
_NO_OPTION = "Default Title"


def recognizes(columns: frozenset[str]) -> bool:
    """A handle, and an option or a variant's price."""
    return not columns.isdisjoint(_HANDLE) and not columns.isdisjoint(
        {"option1 name", "option1 value", "variant price", "variant sku"}
    )


def drafts(rows: Iterator[TableRow], told: Told) -> Iterator[Draft]:
    """A variant is a product of a group, the handle; a product of one variant has no group."""
    products: dict[str, list[TableRow]] = {}
    for row in rows:
        products.setdefault(first_of(row, *_HANDLE), []).append(row)
    for handle, of_product in products.items():
        first = _telling(of_product)
        state = first["status"].lower()
        if state in {"draft", "archived", "unlisted"} or no(
            first_of(first, "published", "published on online store")
        ):
            told.leave_out("not published")
            continue
        yield from _variants(handle, of_product)


def _telling(rows: Sequence[TableRow]) -> TableRow:
    """The row that tells what all share: the one with a title."""
    return next((row for row in rows if row["title"]), rows[0])


def _variants(handle: str, rows: Sequence[TableRow]) -> Iterator[Draft]:
    first = _telling(rows)
    names = [first[f"option{n} name"] for n in (1, 2, 3)]
    # A row of a picture alone has neither price nor option.
    variants = [
        row for row in rows if first_of(row, *_SKU, *_PRICE, "option1 value") or row is first
    ]
    pictures = [first_of(row, *_PICTURE) for row in rows]
    shared = {
        "title": first["title"],
        "description": first_of(first, "body (html)", "description"),
        "brand": first["vendor"],
        "gender": first["google shopping / gender"],
        "product_type": first_of(first, "type", "product category"),
        "path": f"/products/{quote(handle)}",
        "item_group_id": handle if len(variants) > 1 else "",
    }
    for row in variants:
        values = [row[f"option{n} value"] for n in (1, 2, 3)]
        chosen = [value for value in values if value and value != _NO_OPTION]
        fields = {
            **shared,
            "id": first_of(row, *_SKU).removeprefix("'") or "-".join([handle, *chosen]),
            **sale(first_of(row, *_PRICE), first_of(row, *_BEFORE)),
            "availability": _availability(row),
            **option_fields(zip(names, values, strict=True)),
        }
        yield Draft(row.line, fields, once([first_of(row, *_OWN_PICTURE), *pictures]))


def _availability(row: TableRow) -> str:
    """What is not counted, or sold without stock, is there."""
    stock, policy = first_of(row, *_STOCK), first_of(row, *_POLICY).lower()
    counted = bool(first_of(row, *_TRACKER)) or bool(stock)
    if not counted or policy in {"continue", "true"}:
        return "in_stock"
    try:
        return "in_stock" if int(stock) > 0 else "out_of_stock"
    except ValueError:
        return "in_stock"

"""Google Merchant's product file, which Meta, Bing and most feed programs write too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lens.feed.dialects.draft import Draft, Told, first_of, once
from lens.feed.tables import TableRow

NAME = "Google Merchant"
_FIELDS = (
    "id",
    "title",
    "description",
    "link",
    "price",
    "sale_price",
    "availability",
    "brand",
    "color",
    "size",
    "gender",
    "product_type",
    "item_group_id",
)


def recognizes(columns: frozenset[str]) -> bool:
    """Any table whose rows have an id and one more of the fields."""
    known = {_underscored(column) for column in columns}
    return "id" in known and len(known.intersection(_FIELDS)) + ("image_link" in known) > 1


def drafts(rows: Iterator[TableRow], told: Told) -> Iterator[Draft]:
    """A row is a product."""
    for row in rows:
        plain = row if " " not in "".join(row.fields) else _plain(row)
        say = plain.fields.get
        fields = {name: say(name, "") for name in _FIELDS}
        fields["product_type"] = first_of(plain, "product_type", "google_product_category")
        more = plain["additional_image_link"].split(",")
        yield Draft(row.line, fields, once([plain["image_link"], *more]))


def _plain(row: TableRow) -> TableRow:
    return TableRow(row.line, {_underscored(name): of for name, of in row.fields.items()})


@lru_cache(1_024)
def _underscored(column: str) -> str:
    return column.replace(" ", "_")

"""Google Merchant's product file, which Meta, Bing and most feed programs write too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from lens.feed.dialects.draft import Draft, Told, once, pictures_in
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
_PICTURES = ("image_link", "additional_image_link")
_CATEGORY = "google_product_category"
_SALE_DATES = "sale_price_effective_date"
_OTHERS = (*_PICTURES, _CATEGORY, _SALE_DATES)
_NAMES = {name.replace("_", ""): name for name in (*_FIELDS, *_OTHERS)}
# Google's API has these for lists.
_NAMES |= {"additionalimagelinks": "additional_image_link", "producttypes": "product_type"}


def recognizes(columns: frozenset[str]) -> bool:
    """Any table whose rows have an id and one more of the fields."""
    known = set(map(_named, columns))
    return "id" in known and len(known.intersection(_FIELDS)) + ("image_link" in known) > 1


def drafts(rows: Iterator[TableRow], told: Told) -> Iterator[Draft]:
    """A row is a product."""
    for row in rows:
        plain = row
        if names := _renamed(tuple(row.fields)):
            plain = TableRow(row.line, {name: row[column] for name, column in names.items()})
        fields = {name: plain[name] for name in _FIELDS}
        fields["product_type"] = _category(plain)
        fields["sale_from"], _, fields["sale_until"] = plain[_SALE_DATES].partition("/")
        pictures = pictures_in(plain["additional_image_link"])
        yield Draft(row.line, fields, once([plain["image_link"], *pictures]))


def _category(row: TableRow) -> str:
    """The shop's own, else Google's, where that is no number. Of several with commas between them
    the first; a comma may be part of a name."""
    of_google = row[_CATEGORY]
    text = row["product_type"] or ("" if of_google.isdigit() else of_google)
    several = text.split(",")
    return several[0] if all(">" in each for each in several) else text


@lru_cache(1_024)
def _renamed(columns: tuple[str, ...]) -> Mapping[str, str]:
    """The column of each field; empty where all are called as their fields."""
    found: dict[str, str] = {}
    for column in columns:
        found.setdefault(_named(column), column)
    return {} if all(name == column for name, column in found.items()) else found


@lru_cache(1_024)
def _named(column: str) -> str:
    """The field of a column: `image link`, `image-link` and `imageLink` are `image_link`."""
    return _NAMES.get(re.sub("[ _-]", "", column), column)

"""Narrowing: the parameters that say which hits are wanted, alike in a search and in a lookup."""

from __future__ import annotations

from typing import Any

from lens.feed.filter import parse_filter
from lens.search.cursor import parse_cursor
from lens.search.facets import COUNTED, FACETS, parse_facets
from lens.search.grouping import Group
from lens.search.order import Sort
from lens.search.paging import DEEPEST
from lens.search.wanted import Wanted

# What FastAPI's `Form` and `Query` are given.
FILTER: dict[str, Any] = {
    "alias": "filter",
    "max_length": 2000,
    "description": "what the product must be like, by the fields of the product file: "
    "conditions joined by `;`, each a field, one of = != < <= > >= and a value, or several "
    "between `|`; prices take ranges like 20..50",
    "examples": ["price<=50;color=Blue|Black;availability=in_stock"],
}
FACETS_COUNTED: dict[str, Any] = {
    "max_length": 200,
    "description": f"what to count over the first {COUNTED} items, between commas: "
    f"{', '.join(FACETS)}",
    "examples": ["brand,color,price"],
}
SORT: dict[str, Any] = {
    "description": f"similarity; price: of the first {COUNTED} items the cheapest first, by what a "
    "shopper pays; -price: the dearest first",
}
CURSOR: dict[str, Any] = {
    "max_length": 200,
    "description": "go on after a page: its `cursor`, with all else as it was sent for that page; "
    f"pages reach {DEEPEST:,} hits",
}


def wanted_of(
    top_k: int,
    category: str | None,
    wanted_filter: str | None,
    facets: str | None,
    cursor: str | None,
    group: Group = "item",
    sort: Sort = "similarity",
) -> Wanted:
    """What the parameters say. Raises FilterError or CursorError, which say what to do, and
    FieldError for what makes no sense together."""
    return Wanted(
        top_k=top_k,
        category=category or None,
        group=group,
        sort=sort,
        filter=parse_filter(wanted_filter or ""),
        facets=parse_facets(facets or ""),
        after=parse_cursor(cursor) if cursor else None,
    )

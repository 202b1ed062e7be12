"""The feed: a product file as products, and what of it cannot be used, row by row.

A bad row costs itself, a bad field costs itself: nothing else of the file is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Literal, TypeVar

from lens.errors import UsageError
from lens.feed.dialects import google, magento, shopify, woocommerce
from lens.feed.dialects.draft import Draft, Told
from lens.feed.product import Product
from lens.feed.tables import Damaged, TableRow, read_table
from lens.feed.values import address_of, availability_of, category_of, money_of, plain_text

# The most particular first: another system's file may well have a column `id`.
_DIALECTS: tuple[ModuleType, ...] = (shopify, woocommerce, magento, google)
_LONGEST_ID = 200
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What of a line cannot be used, and whether that costs the product or the field alone."""

    line: int
    product: str  # its id, where it has one
    field: str  # as in Google's fields; empty for a whole line
    what: str
    costs: Literal["product", "field"]


@dataclass(frozen=True)
class Feed:
    """A file's products in its order. `left_out` are those that the shop itself does not show, by
    reason."""

    dialect: str
    products: tuple[Product, ...]
    problems: tuple[Problem, ...]
    left_out: dict[str, int]


def read_feed(name: str, data: bytes) -> Feed:
    """The feed in a file of this name. Raises UsageError when it is no product file at all."""
    table = read_table(name, data)
    dialect = next((each for each in _DIALECTS if each.recognizes(table.columns)), None)
    if dialect is None:
        raise UsageError(
            f"{name} has the columns {', '.join(sorted(table.columns)[:8])}: write it with Google "
            "Merchant's (id, title, link, image_link, price, ...), or as Shopify, WooCommerce or "
            "Magento export it"
        )
    problems: list[Problem] = []
    told = Told()
    products: dict[str, Product] = {}
    lines: dict[str, int] = {}
    for draft in dialect.drafts(_sound(table.rows, problems), told):
        product = _Reading(draft, problems).product()
        if product is None:
            continue
        if product.id in products:
            what = f"the id stands in line {lines[product.id]} already"
            problems.append(Problem(draft.line, product.id, "id", what, "product"))
            continue
        products[product.id] = product
        lines[product.id] = draft.line
    problems.sort(key=lambda problem: problem.line)
    return Feed(dialect.NAME, tuple(products.values()), tuple(problems), told.left_out)


def _sound(rows: Iterator[TableRow | Damaged], problems: list[Problem]) -> Iterator[TableRow]:
    for row in rows:
        if isinstance(row, Damaged):
            problems.append(Problem(row.line, "", "", row.why, "product"))
        else:
            yield row


@dataclass(frozen=True)
class _Reading:
    """One draft, looked at field by field."""

    draft: Draft
    problems: list[Problem]

    def product(self) -> Product | None:
        """What can be used of it; None without an id."""
        fields = self.draft.fields
        name = fields.get("id", "")
        if not name or len(name) > _LONGEST_ID:
            what = "there is no id" if not name else f"the id is longer than {_LONGEST_ID}"
            self._tell("id", what, "product")
            return None
        price = self._read("price", money_of)
        sale_price = self._read("sale_price", money_of)
        if price and sale_price and sale_price.amount >= price.amount:
            sale_price = None  # no sale: some programs write the price twice
        return Product(
            id=name,
            title=plain_text(fields.get("title", "")),
            description=plain_text(fields.get("description", "")),
            link=self._read("link", address_of) or "",
            images=self.draft.images,
            price=price,
            sale_price=sale_price,
            availability=self._read("availability", availability_of),
            brand=plain_text(fields.get("brand", "")),
            color=fields.get("color", ""),
            size=fields.get("size", ""),
            gender=fields.get("gender", "").lower(),
            category=category_of(fields.get("product_type", "")),
            item_group_id=fields.get("item_group_id", ""),
        )

    def _read(self, name: str, read: Callable[[str], _T]) -> _T | None:
        text = self.draft.fields.get(name, "")
        if not text:
            return None
        try:
            return read(text)
        except ValueError as error:
            self._tell(name, str(error), "field")
            return None

    def _tell(self, name: str, what: str, costs: Literal["product", "field"]) -> None:
        product = self.draft.fields.get("id", "")
        self.problems.append(Problem(self.draft.line, product, name, what, costs))

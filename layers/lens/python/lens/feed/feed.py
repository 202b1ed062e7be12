"""The feed: a product file as products, and what of it cannot be used, row by row.

A bad row costs itself, a bad field costs itself: nothing else of the file is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView, Set
from dataclasses import dataclass
from types import ModuleType
from typing import Literal, TypeVar

from lens.errors import UsageError
from lens.feed.dates import end_of, start_of
from lens.feed.dialects import google, magento, shopify, woocommerce
from lens.feed.dialects.draft import Draft, Told, fingerprint_of
from lens.feed.money import money_of
from lens.feed.product import Product
from lens.feed.tables import Damaged, TableRow, read_table
from lens.feed.values import address_of, availability_of, category_of, plain_text

# The most particular first: another system's file may well have a column `id`.
_DIALECTS: tuple[ModuleType, ...] = (shopify, woocommerce, magento, google)
_LONGEST_ID = 200
# To be counted up when the same draft becomes another product: what earlier releases have read is
# read again then.
READING = 3
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


@dataclass(frozen=True, slots=True)
class Read:
    """A product, its place among the file's, and what its rows say in 64 bits: None where that
    cannot be used as it stands."""

    product: Product
    place: int
    fingerprint: int | None


class Reading:
    """A product file that is read as it is asked for: a million products need not be in memory.

    What it tells of the file is whole once the products were read. `READING` of this module is part
    of what a fingerprint means.
    """

    def __init__(self, name: str, data: bytes, known: Set[int] = frozenset()) -> None:
        """Products with a `known` fingerprint are not read again. Raises UsageError when it is no
        product file at all."""
        table = read_table(name, data)
        self._rows = table.rows
        self._dialect = _dialect_of(name, table.columns)
        self._known = known
        self._told = Told()
        self._problems: list[Problem] = []
        self._lines: dict[str, int] = {}  # by id

    def products(self) -> Iterator[Read]:
        """The products in the file's order, without those that are known; to be called once."""
        for draft in self._dialect.drafts(_sound(self._rows, self._problems), self._told):
            fingerprint = fingerprint_of(draft)
            known, troubles = fingerprint in self._known, len(self._problems)
            product = None if known else _Drafted(draft, self._problems).product()
            if product is None and not known:
                continue
            name = draft.fields["id"]
            if name in self._lines:
                what = f"the id stands in line {self._lines[name]} already"
                self._problems.append(Problem(draft.line, name, "id", what, "product"))
                continue
            self._lines[name] = draft.line
            if product is not None:
                sound = troubles == len(self._problems)
                yield Read(product, len(self._lines) - 1, fingerprint if sound else None)

    @property
    def dialect(self) -> str:
        """The name of the file's dialect."""
        name: str = self._dialect.NAME
        return name

    @property
    def ids(self) -> KeysView[str]:
        """The products, those that are known too."""
        return self._lines.keys()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What cannot be used, by line."""
        return tuple(sorted(self._problems, key=lambda problem: problem.line))

    @property
    def left_out(self) -> dict[str, int]:
        """Products that the shop itself does not show, by reason."""
        return self._told.left_out


def read_feed(name: str, data: bytes) -> Feed:
    """The feed in a file of this name. Raises UsageError when it is no product file at all."""
    reading = Reading(name, data)
    products = tuple(read.product for read in reading.products())
    return Feed(reading.dialect, products, reading.problems, reading.left_out)


def _dialect_of(name: str, columns: frozenset[str]) -> ModuleType:
    for dialect in _DIALECTS:
        if dialect.recognizes(columns):
            return dialect
    raise UsageError(
        f"{name} has the columns {', '.join(sorted(columns)[:8])}: write it with Google "
        "Merchant's (id, title, link, image_link, price, ...), or as Shopify, WooCommerce or "
        "Magento export it"
    )


def _sound(rows: Iterator[TableRow | Damaged], problems: list[Problem]) -> Iterator[TableRow]:
    for row in rows:
        if isinstance(row, Damaged):
            problems.append(Problem(row.line, "", "", row.why, "product"))
        else:
            yield row


@dataclass(frozen=True)
class _Drafted:
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
        sale_from, sale_until = self._read("sale_from", start_of), self._read("sale_until", end_of)
        if price and sale_price and sale_price.amount >= price.amount:
            sale_price = None  # no sale: some programs write the price twice
        return Product(
            id=name,
            title=plain_text(fields.get("title", "")),
            description=plain_text(fields.get("description", "")),
            link=self._read("link", address_of) or fields.get("path", ""),
            images=self.draft.images,
            price=price,
            sale_price=sale_price,
            sale_from=sale_from if sale_price else None,
            sale_until=sale_until if sale_price else None,
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

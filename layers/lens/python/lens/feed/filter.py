"""The filter: what a product must be like, in a small language over the feed's fields.

    filter    = condition { ";" condition }            all must hold
    condition = field operator value { "|" value }     any of the values, with = and !=
    operator  = "=" | "!=" | "<" | "<=" | ">" | ">="    an order is of prices alone
    value     = text | '"' text '"' | low ".." high     a range is of prices; an end may be left out

Between quotes `;` and `|` stand for themselves, and two quotes for one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal, get_args

from lens.errors import FilterError
from lens.feed.money import money_of
from lens.feed.product import Money, Product
from lens.feed.values import availability_of, category_of, shown

Field = Literal[
    "id",
    "item_group_id",
    "brand",
    "color",
    "size",
    "gender",
    "product_type",
    "availability",
    "price",
    "sale_price",
]
FIELDS: tuple[Field, ...] = get_args(Field)
PRICES: tuple[Field, ...] = ("price", "sale_price")
Value = str | Money | None  # of a product's field

_ORDERS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONDITION = re.compile(r"\s*([A-Za-z_]+)\s*(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*')
_MOST_CONDITIONS, _MOST_VALUES = 20, 200
_EXAMPLE = "write it like price<=50;color=Blue|Black;availability=in_stock"


@dataclass(frozen=True)
class Amounts:
    """Prices from one to another, ends included unless `open`; None: no end. A currency is asked
    for where one is named."""

    low: Decimal | None
    high: Decimal | None
    currency: str = ""
    open: bool = False  # neither end itself

    def __contains__(self, price: Money) -> bool:
        if self.currency and self.currency != price.currency:
            return False
        above, below = (operator.gt, operator.lt) if self.open else (operator.ge, operator.le)
        return (self.low is None or above(price.amount, self.low)) and (
            self.high is None or below(price.amount, self.high)
        )


@dataclass(frozen=True)
class Condition:
    """One field has one of these values, or none of them."""

    field: Field
    values: tuple[str | Amounts, ...]  # texts are folded
    negated: bool = False

    def holds(self, value: Value) -> bool:
        """Whether a product whose field has this value is meant. What is not said equals
        nothing."""
        return any(map(self._equal(value), self.values)) != self.negated

    def _equal(self, value: Value) -> Callable[[str | Amounts], bool]:
        if value is None or isinstance(value, Money):
            return lambda each: value is not None and isinstance(each, Amounts) and value in each
        alike = _alike(self.field, value)
        return lambda each: each in alike


@dataclass(frozen=True)
class Filter:
    """Conditions that a product must satisfy, all of them."""

    conditions: tuple[Condition, ...]

    def matches(self, product: Product) -> bool:
        """Whether a product satisfies all conditions."""
        return all(each.holds(value_of(product, each.field)) for each in self.conditions)

    @property
    def names_no_currency(self) -> Field | None:
        """A price field that is compared with a bare number."""
        for each in self.conditions:
            if any(isinstance(value, Amounts) and not value.currency for value in each.values):
                return each.field
        return None


def value_of(product: Product, field: Field) -> Value:
    """What a field says of a product. `price` is what the shopper pays, which is the sale price
    where there is one."""
    if field == "price":
        return product.sale_price or product.price
    if field == "product_type":
        return product.category
    value: Value = getattr(product, field)
    return value if value is not None or field in PRICES else ""


def folded(text: str) -> str:
    """A text as texts are compared: upper and lower case alike, each run of blanks as one."""
    return " ".join(text.split()).casefold()


def parse_filter(text: str) -> Filter | None:
    """The filter in a text; None for an empty one. Raises FilterError, which says what to do."""
    if not text.strip():
        return None
    parts = [part for part in _split(text, ";") if part.strip()]
    if not parts or len(parts) > _MOST_CONDITIONS:
        raise FilterError(f"a filter has 1 to {_MOST_CONDITIONS} conditions; {_EXAMPLE}")
    return Filter(tuple(map(_condition, parts)))


def field_named(name: str, known: tuple[Field, ...] = FIELDS) -> Field:
    """The field of this name. Raises FilterError."""
    for field in known:
        if field == name.lower():
            return field
    near = get_close_matches(name.lower(), known, 1)
    meant = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
    raise FilterError(f"there is no field {name!r}; {meant}")


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise FilterError(f"{shown(text)} is no condition; {_EXAMPLE}")
    name, sign, rest = found.groups()
    field = field_named(name)
    texts = [_unquoted(each) for each in _split(rest, "|")]
    if len(texts) > _MOST_VALUES:
        raise FilterError(f"{field}: at most {_MOST_VALUES} values")
    if field in PRICES:
        if sign in _ORDERS and len(texts) > 1:
            raise FilterError(
                f"{field}{sign} takes one amount; for several ranges: {field}=5..9|20..30"
            )
        return Condition(field, tuple(_amounts(field, sign, each) for each in texts), sign == "!=")
    if sign in _ORDERS:
        raise FilterError(f"{field} has no order; use = or !=, and < or > with prices")
    return Condition(field, tuple(_text(field, each) for each in texts), sign == "!=")


def _text(field: Field, text: str) -> str:
    if not text:
        raise FilterError(f"{field}: there is no value; {_EXAMPLE}")
    if field != "availability":
        return _plain(field, text)
    try:
        return availability_of(text)
    except ValueError as error:
        raise FilterError(f"availability: {error}") from error


def _amounts(field: Field, sign: str, text: str) -> Amounts:
    if sign in _ORDERS:
        amount = _money(field, text)
        low, high = (None, amount.amount) if "<" in sign else (amount.amount, None)
        return Amounts(low, high, amount.currency, open="=" not in sign)
    if ".." not in text:
        amount = _money(field, text)
        return Amounts(amount.amount, amount.amount, amount.currency)
    ends = [_money(field, end) if end.strip() else None for end in text.split("..", 1)]
    given = [end for end in ends if end]
    currencies = {end.currency for end in given if end.currency}
    if not given or len(currencies) > 1:
        raise FilterError(f"{field}: {shown(text)} is no range; write it like {field}=20..50 EUR")
    low, high = (end.amount if end else None for end in ends)
    if low is not None and high is not None and low > high:
        raise FilterError(f"{field}: {shown(text)} is empty; write the lower price first")
    return Amounts(low, high, next(iter(currencies), ""))


def _money(field: Field, text: str) -> Money:
    try:
        return money_of(text.strip())
    except (ValueError, ArithmeticError) as error:
        raise FilterError(f"{field}: {error}") from error


def _alike(field: Field, value: str) -> set[str]:
    """All that a field with this value equals: a category is also those above it, and `Red/Black`,
    as Google writes a thing of two colors, is also each of them."""
    plain = _plain(field, value)
    parts = plain.split("/")
    if field == "product_type":
        return {"/".join(parts[:n]) for n in range(1, len(parts) + 1)} - {""}
    if field == "color":
        return {plain, *(part.strip() for part in parts)} - {""}
    return {plain} - {""}


def _plain(field: Field, text: str) -> str:
    plain = folded(text)
    return category_of(plain) if field == "product_type" else plain


def _split(text: str, mark: str) -> Iterator[str]:
    """The parts between marks that stand outside of quotes."""
    part, quoted = "", False
    for letter in text:
        quoted ^= letter == '"'
        if letter == mark and not quoted:
            yield part
            part = ""
        else:
            part += letter
    if quoted:
        raise FilterError(f"a quote is not closed in {shown(text)}; write two quotes for one")
    yield part


def _unquoted(text: str) -> str:
    found = _QUOTED.fullmatch(text)
    if found:
        return found[1].replace('""', '"')
    if '"' in text:
        raise FilterError(f"put the whole value in quotes, not a part of it: {shown(text)}")
    return text.strip()

"""Columns: the fields of many products side by side, so that a filter is asked once a value."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.feed.encoding import decode
from lens.feed.filter import FIELDS, PRICES, Condition, Field, Filter, Value, value_of
from lens.feed.product import Money

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """A field of N products: its distinct values, and the number of each product's."""

    values: Sequence[Value]
    numbers: NDArray[np.int32]  # (N,)

    def where(self, condition: Condition) -> Mask:
        """Of which products a condition holds."""
        holds = np.fromiter(map(condition.holds, self.values), np.bool_, len(self.values))
        return holds[self.numbers]


@dataclass(frozen=True)
class Columns:
    """All fields that can be filtered by, of N products."""

    columns: Mapping[Field, Column]
    count: int

    @classmethod
    def of(cls, texts: Iterable[bytes], currency: str = "") -> Columns:
        """Of products as they are encoded, with the sales of this moment; amounts without a
        currency are in this one."""
        numbers: dict[Field, dict[Value, int]] = {field: {} for field in FIELDS}
        found: dict[Field, list[int]] = {field: [] for field in FIELDS}
        count, now = 0, time.time()
        for text in texts:
            product = decode(text, currency).at(now)
            count += 1
            for field in FIELDS:
                known = numbers[field]
                found[field].append(known.setdefault(value_of(product, field), len(known)))
        columns = {
            field: Column(tuple(numbers[field]), np.array(found[field], np.int32))
            for field in FIELDS
        }
        return cls(columns, count)

    def satisfying(self, wanted: Filter) -> Mask:
        """Which products satisfy a filter, (N,)."""
        mask = np.ones(self.count, np.bool_)
        for condition in wanted.conditions:
            mask &= self.columns[condition.field].where(condition)
        return mask

    def currencies(self, of: Mask) -> set[str]:
        """The currencies that some of the products have their prices in."""
        found = set()
        for field in PRICES:
            column = self.columns[field]
            values = (column.values[number] for number in np.unique(column.numbers[of]).tolist())
            found |= {value.currency for value in values if isinstance(value, Money)}
        return found - {""}

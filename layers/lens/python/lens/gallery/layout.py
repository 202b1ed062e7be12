"""Layout: the order of a snapshot's vectors, and the orders in which its rows are looked up.

Vectors lie by category, those of "WOMEN" right before those of "WOMEN/Dresses": a category and
everything under it are one span of positions. All of it is written with the snapshot, so that no
reader sorts a large gallery.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens.gallery.rows import Bytes, Kind, Positions, Rows

Numbers = NDArray[np.int32]
_NONE = np.empty(0, np.intp)
# Beside the rows' own columns in one file.
_PREFIX = "layout_"


@dataclass(frozen=True)
class Layout:
    """For P photos among N rows that are sorted by key."""

    rows_at: Numbers  # (P,) the row of each position
    position_of: Numbers  # (N,) the position of each row; -1: it is no photo
    categories: Bytes  # (C,) each with photos, in the positions' order
    starts: Numbers  # (C + 1,) each category's first position
    firsts: Numbers  # (C,) each category's first row in key order
    by_item: Numbers  # (P,) photo rows by item, then key
    by_photo: Numbers  # (P,) photo rows by photo_id, then key

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is written to a file, by name."""
        return {_PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> Layout:
        """What `arrays` gave. Raises KeyError when it is not whole, ValueError when a part is of
        another kind or length."""
        layout = cls(**{field.name: arrays[_PREFIX + field.name] for field in fields(cls)})
        photos, categories = layout.rows_at.shape, layout.categories.shape
        for field in fields(cls):
            array = getattr(layout, field.name)
            text = field.name == "categories"
            fits = array.dtype.kind == "S" if text else array.dtype == np.int32
            shape = {
                "position_of": array.shape,
                "categories": categories,
                "starts": (layout.categories.size + 1,),
                "firsts": categories,
            }.get(field.name, photos)
            if not fits or array.ndim != 1 or array.shape != shape:
                raise ValueError(f"{_PREFIX}{field.name} is {array.dtype} {array.shape}")
        return layout

    def check(self, rows: Rows) -> None:
        """ValueError unless it is the layout of these rows. It reads all of both."""
        expected = np.flatnonzero(rows.kind == Kind.PHOTO)
        positions = np.full(len(rows), -1, np.int32)
        for order in (self.rows_at, self.by_item, self.by_photo):
            if not np.array_equal(np.sort(order), expected):
                raise ValueError("the layout does not have every photo once")
        positions[self.rows_at] = np.arange(len(self.rows_at))
        if not np.array_equal(positions, self.position_of):
            raise ValueError("the layout's positions are not those of its rows")
        counts = np.diff(self.starts)
        if self.starts[0] != 0 or self.starts[-1] != len(expected) or np.any(counts < 0):
            raise ValueError("the layout's categories do not cover it")
        at = np.repeat(self.categories, counts)
        if not np.array_equal(rows.category[self.rows_at], at):
            raise ValueError("a photo lies in another category of the layout")
        if not np.isin(self.firsts, expected).all():
            raise ValueError("a category of the layout begins at no photo")
        for name, order in (("item_id", self.by_item), ("photo_id", self.by_photo)):
            values = rows.columns()[name][order]
            if np.any(values[1:] < values[:-1]):
                raise ValueError(f"the layout is not sorted by {name}")

    def span(self, category: str) -> range:
        """The positions of a category and of all that lie under it."""
        wanted = category.encode().split(b"/")
        first = bisect_left(self._paths, wanted)
        last = first
        while last < len(self._paths) and self._paths[last][: len(wanted)] == wanted:
            last += 1
        return range(int(self.starts[first]), int(self.starts[last]))

    def category_of(self, positions: Positions) -> Positions:
        """The number of the category at each position."""
        numbers: Positions = np.searchsorted(self.starts, positions, side="right") - 1
        return numbers

    def counts(self, dead: Positions) -> Positions:
        """Photos in each category, without those at the sorted positions `dead`."""
        gone = np.bincount(self.category_of(dead), minlength=len(self.categories))
        counts: Positions = np.diff(self.starts) - gone
        return counts

    def first_row(self, number: int, dead: Positions) -> int:
        """The first row in key order of a category that has one not at `dead`."""
        first = int(self.firsts[number])
        if self.position_of[first] not in dead:
            return first
        start, stop = int(self.starts[number]), int(self.starts[number + 1])
        return int(np.delete(self.rows_at[start:stop], _within(dead, start, stop) - start).min())

    def find(self, rows: Rows, column: str, value: bytes) -> Positions:
        """The photo rows with this item_id or photo_id, in key order."""
        order = {"item_id": self.by_item, "photo_id": self.by_photo}[column]
        values = rows.columns()[column]
        # By hand: NumPy would copy the whole order, and widen all values to the one looked for.
        first = bisect_left(order, value, key=values.__getitem__)
        last = bisect_right(order, value, lo=first, key=values.__getitem__)
        return order[first:last].astype(np.intp)

    @cached_property
    def _paths(self) -> list[list[bytes]]:
        return [name.split(b"/") for name in self.categories.tolist()]


def by_category(rows: Rows) -> tuple[Positions, Bytes, Positions]:
    """The photo rows by category and then key; the categories; where each starts."""
    photos = np.flatnonzero(rows.kind == Kind.PHOTO)
    names, numbers = np.unique(rows.category[photos], return_inverse=True)
    # Bytewise, "A-B" would come between "A" and "A/B".
    paths = [name.split(b"/") for name in names.tolist()]
    collated = sorted(range(len(names)), key=paths.__getitem__)
    rank = np.empty(len(names), np.intp)
    rank[collated] = np.arange(len(names))
    ranks = rank[numbers]
    order = np.argsort(ranks, kind="stable")
    starts = np.searchsorted(ranks[order], np.arange(len(names) + 1))
    return photos[order], names[np.array(collated, np.intp)], starts


def lay_out(rows: Rows, rows_at: Positions, categories: Bytes, starts: Positions) -> Layout:
    """The layout of rows sorted by key, whose vectors lie in the order of `rows_at`."""
    position_of = np.full(len(rows), -1, np.int32)
    position_of[rows_at] = np.arange(len(rows_at))
    photos = np.sort(rows_at)
    firsts = np.minimum.reduceat(rows_at, starts[:-1]) if len(rows_at) else _NONE
    return Layout(
        rows_at=rows_at.astype(np.int32),
        position_of=position_of,
        categories=categories,
        starts=starts.astype(np.int32),
        firsts=firsts.astype(np.int32),
        by_item=photos[np.argsort(rows.item_id[photos], kind="stable")].astype(np.int32),
        by_photo=photos[np.argsort(rows.photo_id[photos], kind="stable")].astype(np.int32),
    )


def _within(positions: Positions, start: int, stop: int) -> Positions:
    """Those of the sorted positions that lie in start..stop."""
    first, last = np.searchsorted(positions, [start, stop])
    return positions[first:last]

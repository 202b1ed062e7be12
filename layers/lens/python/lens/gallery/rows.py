"""Rows: what looks at catalog keys found, as NumPy columns, and which row of a key wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lens.gallery.versions import Version

Bytes = NDArray[np.bytes_]
Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

# The columns that are no text.
_NUMBERS = {"n": np.int32, "kind": np.uint8, "looked_at": np.float64}


class Kind(IntEnum):
    """What a look found."""

    PHOTO = 0
    REJECTION = 1  # a photo that cannot be used, with the reason
    TOMBSTONE = 2  # nothing
    WAITING = 3  # a photo that cannot be read now, with the reason


class Cause(StrEnum):
    """Why a tombstone was written: its reason. Those of earlier releases have none."""

    EVENT = "event"  # somebody removed the photo
    LISTING = "listing"  # a listing lacked it
    ALLOWED = "allowed"  # the same, and its owner let it go
    RULE = "rule"  # the catalog leaves it out
    TAKEDOWN = "takedown"  # it was purged
    AGAIN = "again"  # of a look alone: nobody says that the photo is gone, so no tombstone has it


# What listings caused, and a rollback may undo.
OF_LISTINGS = (Cause.LISTING, Cause.ALLOWED)


class Row(NamedTuple):
    """One row, as Python values."""

    key: str
    version: Version
    kind: Kind
    looked_at: float  # seconds since the epoch
    etag: str = ""
    photo_id: str = ""
    item_id: str = ""
    category: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Rows:
    """Columns of equal length N; text is UTF-8 bytes. Vectors, where they exist, belong to the
    photo rows in the rows' order."""

    key: Bytes
    sequencer: Bytes
    n: NDArray[np.int32]
    kind: NDArray[np.uint8]
    looked_at: NDArray[np.float64]
    etag: Bytes
    photo_id: Bytes
    item_id: Bytes
    category: Bytes
    reason: Bytes

    def __len__(self) -> int:
        return len(self.key)

    def __getitem__(self, position: int | np.intp) -> Row:
        return Row(
            key=self.key[position].decode(),
            version=Version(self.sequencer[position].decode(), int(self.n[position])),
            kind=Kind(self.kind[position]),
            looked_at=float(self.looked_at[position]),
            etag=self.etag[position].decode(),
            photo_id=self.photo_id[position].decode(),
            item_id=self.item_id[position].decode(),
            category=self.category[position].decode(),
            reason=self.reason[position].decode(),
        )

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Rows:
        """Columns from Python rows."""

        def text(values: Iterable[str]) -> Bytes:
            encoded = [value.encode() for value in values]
            return np.array(encoded, dtype=f"S{max(map(len, encoded), default=1) or 1}")

        return cls(
            key=text(row.key for row in rows),
            sequencer=text(row.version.sequencer for row in rows),
            n=np.array([row.version.n for row in rows], dtype=np.int32),
            kind=np.array([row.kind for row in rows], dtype=np.uint8),
            looked_at=np.array([row.looked_at for row in rows], dtype=np.float64),
            etag=text(row.etag for row in rows),
            photo_id=text(row.photo_id for row in rows),
            item_id=text(row.item_id for row in rows),
            category=text(row.category for row in rows),
            reason=text(row.reason for row in rows),
        )

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> Rows:
        """Rows from the arrays of a file. Raises KeyError when a column lacks, ValueError when one
        is of another kind or length."""
        rows = cls(**{field.name: arrays[field.name] for field in fields(cls)})
        for name, column in rows.columns().items():
            kind = _NUMBERS.get(name)
            fits = column.dtype.kind == "S" if kind is None else column.dtype == kind
            if not fits or column.ndim != 1 or column.shape != rows.key.shape:
                raise ValueError(f"{name} is {column.dtype} {column.shape}")
        return rows

    def check(self) -> None:
        """ValueError unless each value is one that a look can have found. It reads all rows."""
        if len(self) and self.kind.max() > max(Kind):
            raise ValueError(f"a row of the unknown kind {self.kind.max()}")
        if not np.isfinite(self.looked_at).all():
            raise ValueError("a look at no time")
        for name, column in self.columns().items():
            if column.dtype.kind == "S":
                try:
                    column.tobytes().decode()
                except UnicodeDecodeError as error:
                    raise ValueError(f"{name} is no text") from error

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns by name, as they are written to a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def take(self, positions: Positions) -> Rows:
        """The rows at these positions, in that order."""
        return Rows(**{name: column[positions] for name, column in self.columns().items()})

    @property
    def photo_rows(self) -> Positions:
        """Positions of the photo rows: vector i belongs to row `photo_rows[i]`."""
        return np.flatnonzero(self.kind == Kind.PHOTO)

    def of_keys(self, keys: Bytes) -> Positions:
        """Positions of all rows with one of these keys, of rows that are sorted by key.

        The keys must be sorted and differ. It costs what the keys cost, however many rows are.
        """
        # NumPy would widen every row's key to compare it with a longer one.
        keys = keys[np.strings.str_len(keys) <= self.key.dtype.itemsize].astype(self.key.dtype)
        starts = np.searchsorted(self.key, keys, side="left")
        counts = np.searchsorted(self.key, keys, side="right") - starts
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        positions: Positions = np.repeat(starts, counts) + within
        return positions

    @staticmethod
    def concatenate(parts: Sequence[Rows]) -> Rows:
        """All rows of the parts, in order."""
        if not parts:
            return EMPTY_ROWS
        columns = [part.columns() for part in parts]
        return Rows(**{name: np.concatenate([c[name] for c in columns]) for name in columns[0]})


EMPTY_ROWS = Rows.of([])


def order_by_version(rows: Rows) -> Positions:
    """Positions sorted by key and, within a key, from the oldest version to the newest; what waits
    comes before all else, because it says nothing of the photo and so beats none.

    Two looks under one version (an event delivered twice) are ordered by the time of the look;
    what is left equal is equal in content too, so every reader agrees on the winner.
    """
    # A sort by all columns costs several times one by key, and most keys have a single row.
    order: Positions = np.argsort(rows.key, kind="stable")
    same = ~last_of_each_key(rows.key[order])
    shared = same.copy()
    shared[1:] |= same[:-1]
    if shared.any():
        several = order[shared]
        order[shared] = several[_order_by_all(rows.take(several))]
    return order


def _order_by_all(rows: Rows) -> Positions:
    told = rows.kind != Kind.WAITING
    version = rows.looked_at, rows.n, rows.sequencer
    order: Positions = np.lexsort((rows.photo_id, rows.etag, rows.kind, *version, told, rows.key))
    return order


def winners(rows: Rows) -> Positions:
    """Position of each key's winning row, sorted by key."""
    order = order_by_version(rows)
    winning: Positions = order[last_of_each_key(rows.key[order])]
    return winning


def keepers(rows: Rows, *, tombstones_since: float) -> Positions:
    """Positions of the rows compaction keeps, sorted by key and then version.

    They are every key's winner, what of it still waits, and the tombstone that was looked at last,
    even one that a newer row has beaten: a search pinned to an earlier commit must not show what
    was deleted in between, and compares times; a clock that was set back gives a newer tombstone an
    earlier one. A rollback may undo what listings caused, so the last of other causes is kept
    beside. Tombstones looked at before `tombstones_since` (seconds since the epoch) are dropped.
    """
    order = order_by_version(rows)
    keys = rows.key[order]
    keep = last_of_each_key(keys)
    tombstones = np.flatnonzero(rows.kind[order] == Kind.TOMBSTONE)
    by_time = np.lexsort((rows.looked_at[order[tombstones]], keys[tombstones]))
    tombstones = tombstones[by_time]
    keep[tombstones[last_of_each_key(keys[tombstones])]] = True
    told = tombstones[~caused_by(rows.take(order[tombstones]), OF_LISTINGS)]
    keep[told[last_of_each_key(keys[told])]] = True
    keep[np.isin(order, still_waiting(rows))] = True
    expired = (rows.kind[order] == Kind.TOMBSTONE) & (rows.looked_at[order] < tombstones_since)
    kept: Positions = order[keep & ~expired]
    return kept


def caused_by(rows: Rows, causes: Iterable[Cause]) -> Mask:
    """Which of these tombstones have one of these causes."""
    return np.isin(rows.reason, [cause.encode() for cause in causes])


def still_waiting(rows: Rows) -> Positions:
    """Position of each key's newest waiting row, sorted by key, unless a later look read it."""
    waits = np.flatnonzero(rows.kind == Kind.WAITING)
    if len(waits) == 0:
        return waits
    concerned = np.flatnonzero(np.isin(rows.key, np.unique(rows.key[waits])))
    some = rows.take(concerned)
    told = some.kind != Kind.WAITING
    version = some.looked_at, some.n, some.sequencer
    order = np.lexsort((some.photo_id, some.etag, told, *version, some.key))
    newest = concerned[order[last_of_each_key(some.key[order])]]
    waiting: Positions = newest[rows.kind[newest] == Kind.WAITING]
    return waiting


def last_of_each_key(sorted_keys: Bytes) -> Mask:
    """Which of these sorted keys are followed by another one or by none."""
    last = np.ones(len(sorted_keys), dtype=bool)
    last[:-1] = sorted_keys[1:] != sorted_keys[:-1]
    return last


def among(values: NDArray[Any], some: NDArray[Any]) -> tuple[Mask, Positions]:
    """Which values are among these sorted ones, and where; the place means nothing elsewhere."""
    if len(some) == 0:
        return np.zeros(len(values), dtype=bool), np.zeros(len(values), dtype=np.intp)
    places = np.minimum(np.searchsorted(some, values), len(some) - 1)
    return some[places] == values, places

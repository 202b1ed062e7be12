"""The assortment: the products of one commit, as columns that are mapped and looked up by name.

It is a table of all products, and a second one of what has changed since: a changed price writes
the changed products alone. The gallery does not know what a product is; its text is the feed's.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens.gallery.rows import Bytes, among

Hashes = NDArray[np.uint64]

# The columns that are no text.
_NUMBERS = {
    "place": np.int32,
    "ends": np.int64,
    "text": np.uint8,
    "names": np.uint64,
    "owners": np.int32,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A product: what it is a variant of, what it is called, and what the feed says of it."""

    id: str
    item_id: str
    names: tuple[str, ...]
    text: bytes
    place: int = 0  # in the product file


@dataclass(frozen=True)
class Products:
    """N products sorted by id, whose texts lie one after another; and the ids of products that an
    earlier table has and that are gone. `names` are hashes, sorted, of the products at `owners`."""

    id: Bytes
    item_id: Bytes
    place: NDArray[np.int32]
    ends: NDArray[np.int64]  # of the texts
    text: NDArray[np.uint8]
    names: Hashes
    owners: NDArray[np.int32]
    gone: Bytes

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def of(cls, entries: Iterable[Entry], gone: Iterable[str] = ()) -> Products:
        """A table; of ids that repeat only the first counts. Entries are not kept: there may be a
        million."""
        places: dict[bytes, int] = {}
        items, texts = [], []
        place, owners, names = array("i"), array("i"), array("Q")
        for entry in entries:
            position = len(places)
            if places.setdefault(entry.id.encode(), position) != position:
                continue
            items.append(entry.item_id.encode())
            texts.append(entry.text)
            place.append(entry.place)
            for name in entry.names:
                names.append(name_hash(name))
                owners.append(position)
        ids = _text(list(places))
        del places
        order = np.argsort(ids)
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(len(order), dtype=np.int32)
        hashes, owned = np.array(names, np.uint64), ranks[np.array(owners, np.int32)]
        by_name = np.lexsort((owned, hashes))
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return cls(
            id=ids[order],
            item_id=_text(items)[order],
            place=np.array(place, np.int32)[order],
            ends=np.cumsum(lengths[order]),
            text=np.frombuffer(b"".join([texts[i] for i in order.tolist()]), np.uint8),
            names=hashes[by_name],
            owners=owned[by_name],
            gone=_text(sorted(name.encode() for name in gone)),
        )

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> Products:
        """A table from the arrays of a file. Raises KeyError when a column lacks, ValueError when
        one is of another kind or length."""
        table = cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        lengths = dict.fromkeys(("id", "item_id", "place", "ends"), table.id.shape)
        lengths["owners"] = table.names.shape
        for name, column in table.columns().items():
            kind = _NUMBERS.get(name)
            fits = column.dtype.kind == "S" if kind is None else column.dtype == kind
            if not fits or column.ndim != 1 or column.shape != lengths.get(name, column.shape):
                raise ValueError(f"{name} is {column.dtype} {column.shape}")
        return table

    def check(self) -> None:
        """ValueError unless it is sorted, and its places are within it. It reads all but texts."""
        if any(np.any(column[1:] < column[:-1]) for column in (self.id, self.gone)):
            raise ValueError("the ids are not sorted")
        if np.any(self.names[1:] < self.names[:-1]):
            raise ValueError("the names are not sorted")
        ends = np.concatenate([[0], self.ends])
        if np.any(np.diff(ends) < 0) or ends[-1] != len(self.text):
            raise ValueError("the texts do not fit their ends")
        if len(self.owners) and not 0 <= self.owners.min() <= self.owners.max() < len(self):
            raise ValueError("a name belongs to no product")

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns by name, as they are written to a file."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def position(self, product: bytes) -> int | None:
        """Where a product is; None where it is not."""
        if len(product) > self.id.dtype.itemsize:
            return None
        there, places = among(np.array([product], self.id.dtype), self.id)
        return int(places[0]) if there[0] else None

    def text_at(self, position: int) -> bytes:
        """What the feed says of a product."""
        start = int(self.ends[position - 1]) if position else 0
        return self.text[start : int(self.ends[position])].tobytes()

    def has(self, entry: Entry) -> bool:
        """Whether a product is here, and says the same."""
        position = self.position(entry.id.encode())
        return position is not None and self.text_at(position) == entry.text

    def not_among(self, ids: Container[str]) -> list[str]:
        """The ids of the products that these lack."""
        return [name for name in map(bytes.decode, self.id.tolist()) if name not in ids]

    def named(self, names: Hashes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Of each name, where its owners begin and end."""
        first, last = (np.searchsorted(self.names, names, side) for side in ("left", "right"))
        return first, last


Owner = tuple[Products, int]  # a product, by its place in a table


@dataclass(frozen=True)
class Found:
    """The item that something is called after, and which of its products it may be."""

    item_id: str
    owners: tuple[Owner, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The products' ids."""
        return tuple(table.id[position].decode() for table, position in self.owners)

    def texts(self) -> Iterator[bytes]:
        """What the feed says of each product."""
        return (table.text_at(position) for table, position in self.owners)


@dataclass(frozen=True)
class Assortment:
    """The products of a commit: all of an earlier feed's, but for those that have `changes`."""

    whole: Products
    changes: Products

    def __len__(self) -> int:
        return len(self.whole) - int(np.count_nonzero(self.replaced)) + len(self.changes)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Each product's id and text, in no order."""
        for table, position in self._positions():
            yield table.id[position].decode(), table.text_at(position)

    def items(self) -> Iterator[tuple[str, str]]:
        """Each product's id and item, in no order."""
        for table, position in self._positions():
            yield table.id[position].decode(), table.item_id[position].decode()

    def text(self, product_id: str) -> bytes | None:
        """What the feed says of a product; None where it has none of this id."""
        product = product_id.encode()
        changed = self.changes.position(product)
        if changed is not None:
            return self.changes.text_at(changed)
        there = self.whole.position(product)
        return None if there is None or self.replaced[there] else self.whole.text_at(there)

    def find(self, names: Iterable[str]) -> Found | None:
        """What the first of these names means; a name that products of several items have says
        nothing."""
        digests = [name_hash(name) for name in names]
        return self.find_each(np.array(digests, np.uint64), [0, len(digests)])[0]

    def find_each(self, names: Hashes, starts: Sequence[int]) -> list[Found | None]:
        """The same for many at once: `starts` says where each one's names begin, and where the
        last one's end."""
        places = [table.named(names) for table in (self.whole, self.changes)]
        known = np.flatnonzero(sum(last - first for first, last in places))
        spans = np.stack([each[known] for place in places for each in place], axis=1).tolist()
        ends = np.searchsorted(known, starts).tolist()
        return [self._first_telling(spans[begin:end]) for begin, end in pairwise(ends)]

    def variants(self, item_id: str, name: str) -> list[bytes]:
        """What the feed says of an item's products, which have this name, in the product file's
        order."""
        item = item_id.encode()
        names = np.array([name_hash(name)], np.uint64)
        span = [int(each[0]) for table in (self.whole, self.changes) for each in table.named(names)]
        found = [own for own in self._owners(span) if own[0].item_id[own[1]] == item]
        return [table.text_at(position) for table, position in sorted(found, key=_place)]

    def _first_telling(self, spans: Iterable[Sequence[int]]) -> Found | None:
        for span in spans:
            owners = self._of_one_item(span)
            if owners:
                table, position = owners[0]
                return Found(table.item_id[position].decode(), tuple(owners))
        return None

    def _of_one_item(self, span: Sequence[int]) -> list[Owner]:
        """The products with a name, in the product file's order; none where they are of several
        items. A picture may be called `front.jpg` in every product: the second one ends it."""
        found: list[Owner] = []
        for table, position in self._owners(span):
            if found and table.item_id[position] != found[0][0].item_id[found[0][1]]:
                return []
            found.append((table, position))
        return sorted(found, key=_place)

    def _owners(self, span: Sequence[int]) -> Iterator[Owner]:
        """Between the places of a name in the whole table, and in that of changes."""
        first, last, first_changed, last_changed = span
        for position in self.whole.owners[first:last]:
            if not self.replaced[position]:
                yield self.whole, int(position)
        for position in self.changes.owners[first_changed:last_changed]:
            yield self.changes, int(position)

    def _positions(self) -> Iterator[Owner]:
        for position in np.flatnonzero(~self.replaced).tolist():
            yield self.whole, position
        for position in range(len(self.changes)):
            yield self.changes, position

    @cached_property
    def replaced(self) -> NDArray[np.bool_]:
        """Which products of the whole table are changed or gone."""
        ids = self.whole.id
        replaced: NDArray[np.bool_] = _among(ids, self.changes.id) | _among(ids, self.changes.gone)
        return replaced


def name_hash(name: str) -> int:
    """64 bits of a name: among a million names two are one with a chance of 1 in 37 million."""
    return int.from_bytes(hashed(name), "little")


def hashed(name: str) -> bytes:
    """The same as bytes, the least first."""
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def _among(ids: Bytes, some: Bytes) -> NDArray[np.bool_]:
    """Which ids are among these sorted ones."""
    # NumPy would widen all ids to compare them with a longer one.
    short = some[np.strings.str_len(some) <= ids.dtype.itemsize]
    return among(ids, short.astype(ids.dtype))[0]


def _place(owner: Owner) -> int:
    table, position = owner
    return int(table.place[position])


def _text(values: Sequence[bytes]) -> Bytes:
    return np.array(values, dtype=f"S{max(map(len, values), default=1) or 1}")


NO_PRODUCTS = Products.of([])

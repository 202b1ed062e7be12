"""Photo names: what the products of many photos may be called, as hashes, made once a photo."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lens.feed.names import names_of_photo
from lens.gallery.assortment import Hashes, hashed
from lens.gallery.rows import Positions, Rows, among

T = TypeVar("T")

_AT_A_TIME = 64  # photos: a millisecond's work


@dataclass(frozen=True)
class PhotoNames:
    """Of N photos, each one's names one after another, the surest first."""

    hashes: Hashes
    starts: Positions  # (N + 1,)

    @classmethod
    def of(cls, rows: Rows, positions: Positions) -> PhotoNames:
        """Of the photos at these positions of some rows."""
        columns = rows.key[positions].tolist(), rows.item_id[positions].tolist()
        keys, items = (map(bytes.decode, column) for column in columns)
        return cls.of_photos(_giving_way(zip(keys, items, strict=True)))

    @classmethod
    def of_photos(cls, photos: Iterable[tuple[str, str]]) -> PhotoNames:
        """Of photos by key and by the item that the catalog takes each for."""
        digests: list[bytes] = []
        ends = [0]
        for key, item_id in photos:
            digests += map(hashed, names_of_photo(key, item_id))
            ends.append(len(digests))
        return cls(np.frombuffer(b"".join(digests), "<u8"), np.array(ends, np.intp))

    def first_among(self, names: Hashes) -> NDArray[np.int32]:
        """By photo: the place, among these sorted names, of the first of its own that is there;
        -1 where none is."""
        count = len(self.starts) - 1
        found = np.full(count, -1, np.int32)
        asking = np.arange(count)
        at = self.starts[:-1].copy()
        while len(asking):
            more = at < self.starts[asking + 1]
            asking, at = asking[more], at[more]
            there, places = among(self.hashes[at], names)
            found[asking[there]] = places[there]
            asking, at = asking[~there], at[~there] + 1
        return found


def _giving_way(photos: Iterable[T]) -> Iterator[T]:
    """The same, slowly enough: this is pure Python, and searches go before."""
    for number, photo in enumerate(photos):
        if number % _AT_A_TIME == 0:
            time.sleep(0)
        yield photo

"""Photo names: what the products of many photos may be called, as hashes, made once a photo."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.feed.names import names_of_photo
from lens.gallery.assortment import Hashes, hashed
from lens.gallery.rows import Positions, Rows, among

_AT_A_TIME = 64  # photos: a millisecond's work


@dataclass(frozen=True)
class PhotoNames:
    """Of N photos, each one's names one after another, the surest first."""

    hashes: Hashes
    starts: Positions  # (N + 1,)

    @classmethod
    def of(cls, rows: Rows, positions: Positions) -> PhotoNames:
        """Of the photos at these positions of some rows."""
        digests: list[bytes] = []
        ends = [0]
        keys, items = rows.key[positions].tolist(), rows.item_id[positions].tolist()
        for number, (key, item_id) in enumerate(zip(keys, items, strict=True)):
            if number % _AT_A_TIME == 0:
                time.sleep(0)  # this is pure Python: let searches go before
            digests += map(hashed, names_of_photo(key.decode(), item_id.decode()))
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

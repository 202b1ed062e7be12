"""Queries: shoppers' photos as vectors, of the whole or of a region, kept in bounded caches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lens.errors import UsageError
from lens.models.embedder import Embedder
from lens.models.regions import (
    SMALLEST_SIDE,
    Box,
    Region,
    large_enough,
    main_region,
    rounded,
)
from lens.models.shares import Shares
from lens.photos.copies import Look, look_of
from lens.photos.decoding import decode
from lens.search.cache import Cache
from lens.settings import Limits

Asked = Box | Literal["whole"] | None  # None: whatever the one rule picks
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


# Without the ambiguities for which a search could take its time over a long text.
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_FOUR_NUMBERS = (
    "send four numbers from 0 to 1, x0,y0,x1,y1 as fractions of the upright photo, or 'whole'"
)


def asked_region(text: str) -> Asked:
    """What is asked for in words: a box x0,y0,x1,y1, `whole`, or nothing.

    Raises UsageError for what is no region.
    """
    text = text.strip()
    if text == "whole":
        return "whole"
    if not text:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise UsageError(_FOUR_NUMBERS)
    if not all(0 <= float(part) <= 1 for part in parts):
        raise UsageError(_FOUR_NUMBERS)
    x0, y0, x1, y1 = map(float, parts)
    if x0 >= x1 or y0 >= y1:
        raise UsageError("x0 must be less than x1, and y0 less than y1")
    box = rounded((x0, y0, x1, y1))
    if not large_enough(box):
        least = f"{SMALLEST_SIDE:g} of the photo's width and height"
        raise UsageError(f"it must be at least {least}; choose a larger one")
    return box


@dataclass(frozen=True)
class Query:
    """What is searched for: a photo, or a region of it."""

    vector: NDArray[np.float32]  # (D,), unit length
    regions: tuple[Region, ...]  # all that are seen in the photo
    region: Box | None  # what the vector is of; None: the whole photo
    by_rule: bool  # the region is the one that a catalog photo would have been given
    look: Look  # of the whole photo
    shares: Shares | None = None  # of the vector; None: the model cannot tell, or was not asked


@dataclass(frozen=True)
class _Embedded:
    """What one run gives for a photo or a region of it."""

    vector: NDArray[np.float32]
    shares: Shares | None = None


@dataclass(frozen=True)
class _Seen:
    """What is known of a whole photo."""

    regions: tuple[Region, ...]
    look: Look


class Queries:
    """Makes queries of photos; safe to call from several threads.

    One run over a whole photo gives its vector and its regions, which are kept apart, these with
    the photo's look: another region of the same photo then costs one embedding.
    """

    def __init__(self, limits: Limits, capacity: int) -> None:
        """`capacity` is the number of entries of each cache."""
        self._limits = limits
        self._seen: Cache[_Seen] = Cache(capacity)
        self._vectors: Cache[_Embedded] = Cache(capacity)

    def query(
        self,
        embedder: Embedder,
        name: str,
        photo: bytes,
        asked: Asked = None,
        *,
        shares: bool = False,
    ) -> Query:
        """The query that is asked for with a photo of this id. Its shares come with a region's run
        anyway, and with a whole photo's where they are asked for. Raises a PhotoError."""
        key = embedder.model_id, name
        image = overview = None
        seen = self._seen.get(key)
        if seen is None:
            image = decode(photo, self._limits)
            overview = embedder.overview(image)
            seen = _Seen(overview.regions, look_of(image))
            self._seen.put(key, seen)
        main = main_region(seen.regions)
        by_rule = main.box if main else None
        box = _box(asked, by_rule)
        found = self._vectors.get((*key, box))
        if overview:
            self._vectors.put((*key, None), _Embedded(overview.vector))
            if box is None:
                found = _Embedded(overview.vector)
        if found is None or (shares and found.shares is None and embedder.tells_shares):
            image = image or decode(photo, self._limits)
            found = _Embedded(*embedder.embed_with_shares(image, box))
            self._vectors.put((*key, box), found)
        by = box == by_rule
        return Query(found.vector, seen.regions, box, by, seen.look, found.shares)

    def figures(self) -> dict[str, dict[str, int]]:
        """Hits, misses and fill of the caches."""
        return {"regions": self._seen.figures(), "vectors": self._vectors.figures()}


def _box(asked: Asked, by_rule: Box | None) -> Box | None:
    if asked is None or asked == "whole":
        return by_rule if asked is None else None
    box = rounded(asked)
    return None if box == _WHOLE else box

"""Why: which parts of a query and of a hit make the two alike, told only where it was just tried.

A place counts by what it adds to the similarity. Then the strongest places are covered and the
photo is embedded again: where it is hardly less like the other, or where what it has in common with
the other does not move to other places, nothing is told of it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.errors import NotExplainedError, NotFoundError
from lens.gallery.gallery import Gallery
from lens.models.covering import Picture, covered, part_of
from lens.models.embedder import Embedder
from lens.models.regions import Box, main_region
from lens.models.shares import Map, Shares, strongest
from lens.photos.decoding import decode
from lens.search.cache import Cache
from lens.search.queries import Query
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Limits

# Where it falls by less, another fifth may well cost as much: in measure (docs/experiments.md).
LEAST_FALL = 0.03


@dataclass(frozen=True)
class Part:
    """Which places of a photo count, from 0 to 1, the strongest; `box` is what they cover, as
    fractions of the upright photo. `fall` is how much less alike the photos are once the strongest
    fifth is covered."""

    places: Map
    box: Box
    fall: float


@dataclass(frozen=True)
class Why:
    """The matching parts of both photos; None for one of which nothing can be shown to be true."""

    query: Part | None
    hit: Part | None


@dataclass(frozen=True)
class _Embedded:
    """A photo of the gallery, as its thumbnail shows it."""

    vector: NDArray[np.float32]
    shares: Shares
    box: Box | None  # of what is embedded; None: the whole photo


class Reasons:
    """Tells why; what it learns of hits is kept in a bounded cache."""

    def __init__(self, limits: Limits, capacity: int) -> None:
        """`capacity` is the number of hits that are kept."""
        self._limits = limits
        self._hits: Cache[_Embedded] = Cache(capacity)
        self._beside = ThreadPoolExecutor(thread_name_prefix="why")

    def why(
        self,
        embedder: Embedder,
        gallery: Gallery,
        thumbnails: Thumbnails,
        query: Query,
        photo: bytes,
        photo_id: str,
    ) -> Why:
        """Why the gallery's photo with this id is like the query, which is of `photo`.

        Raises NotFoundError when the gallery does not show it, and NotExplainedError for a model
        that cannot tell.
        """
        found = gallery.photo_vectors(photo_id)
        if not found:
            raise NotFoundError(f"no photo of the gallery has the id {photo_id!r}")
        if query.shares is None:
            raise NotExplainedError(f"{embedder.model_id} cannot tell why photos are alike")
        own = self._beside.submit(
            self._of_query, embedder, photo, query, query.shares, toward=found[0][1]
        )
        image = decode(thumbnails.read(gallery, photo_id), self._limits)
        hit = self._hit(embedder, photo_id, image)
        part = part_of(image, hit.box)
        told = tried(embedder, part, hit.vector, hit.shares, query.vector)
        return Why(own.result(), told)

    def figures(self) -> dict[str, dict[str, int]]:
        """Hits, misses and fill of the cache."""
        return {"whys": self._hits.figures()}

    def _of_query(
        self,
        embedder: Embedder,
        photo: bytes,
        query: Query,
        shares: Shares,
        *,
        toward: NDArray[np.float32],
    ) -> Part | None:
        part = part_of(decode(photo, self._limits), query.region)
        return tried(embedder, part, query.vector, shares, toward)

    def _hit(self, embedder: Embedder, photo_id: str, image: Picture) -> _Embedded:
        key = embedder.model_id, photo_id
        hit = self._hits.get(key)
        if hit is None:
            main = main_region(embedder.see(image))
            box = main.box if main else None
            vector, shares = embedder.embed_with_shares(image, box)
            assert shares is not None  # the query has them, by the same model
            hit = _Embedded(vector, shares, box)
            self._hits.put(key, hit)
        return hit


def tried(
    embedder: Embedder,
    part: Picture,
    vector: NDArray[np.float32],
    shares: Shares,
    other: NDArray[np.float32],
) -> Part | None:
    """What of a part of a photo makes it like another's vector, if it is less like it without, and
    less so there than elsewhere."""
    found = shares.toward(other)
    most = float(found.max())
    if most <= 0:
        return None
    chosen = strongest(found)
    without, left = embedder.embed_with_shares(covered(part, chosen))
    assert left is not None  # the photo has them, by the same model
    fall = float((vector - without) @ other)
    if fall < LEAST_FALL or _weight(left.toward(other), chosen) >= _weight(found, chosen):
        return None
    return Part(np.maximum(found / most, 0), shares.box, fall)


def _weight(found: Map, chosen: NDArray[np.bool_]) -> float:
    """The share of some places in a map."""
    positive = np.maximum(found, 0)
    return float(positive[chosen].sum() / max(float(positive.sum()), 1e-9))

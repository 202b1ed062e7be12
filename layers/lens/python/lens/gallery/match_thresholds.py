"""Match thresholds: what a similarity is worth in one gallery, measured on its own vectors.

Two questions are asked of them. How similar is a photo to the other photos of its item, once a
shopper took it? And how similar is the nearest photo when the product is not there: that of
another item, or of a garment that no catalog has (the model's probes)?
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lens.storage.documents import Record

# Of all that are not there, so many reach a threshold.
SAME_FALSE_ACCEPTS = 0.02
VERY_SIMILAR_FALSE_ACCEPTS = 0.10
# And of all garments, sold here or not, so many do not reach this one.
SIMILAR_STYLE_FALSE_REJECTS = 0.05
LEAST_PROBES = 100
LEAST_PAIRS = 50
_SAMPLE = 2_000  # photos whose neighbors are looked for, at most
_BLOCK = 8_192  # vectors compared at a time


class MatchThresholds(Record):
    """Similarities from which a photo is called the same, very similar, or of a similar style.

    `false_accepts`: the share of garments that are not there which reach each. `found`: the share
    of an item's photos that reach `same` by another of its photos. Both were measured on `pairs`
    photos of the gallery and `probes` garments of others.
    """

    same: float
    very_similar: float
    similar_style: float
    false_accepts: dict[str, float]
    found: float
    pairs: int
    probes: int


def thresholds_of(
    vectors: NDArray[np.float32],
    items: NDArray[np.bytes_],
    probes: NDArray[np.float32],
    loss: float,
) -> MatchThresholds | None:
    """Thresholds of a gallery's (N, D) unit vectors and the N items they show; None when it, or
    the (P, D) probes, are too few to tell.

    loss: how much less similar a product's photo is once a shopper took it.
    """
    if len(probes) < LEAST_PROBES or len(vectors) < LEAST_PAIRS:
        return None
    _, item = np.unique(items, return_inverse=True)
    chosen = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), _SAMPLE)).astype(np.intp))
    own, other = _neighbors(vectors, item, chosen)
    has_own = np.isfinite(own)
    has_other = np.isfinite(other)
    if np.count_nonzero(has_own) < LEAST_PAIRS or not has_other.any():
        return None
    strangers = _best(vectors, probes)
    pairs, absent = own[has_own] - loss, np.concatenate([other[has_other] - loss, strangers])
    similar_style = float(np.quantile(strangers, SIMILAR_STYLE_FALSE_REJECTS))
    very_similar = max(similar_style, float(np.quantile(absent, 1 - VERY_SIMILAR_FALSE_ACCEPTS)))
    same = max(very_similar, float(np.quantile(absent, 1 - SAME_FALSE_ACCEPTS)))
    found = {"same": same, "very_similar": very_similar, "similar_style": similar_style}
    return MatchThresholds(
        **{name: round(value, 4) for name, value in found.items()},
        false_accepts={n: round(float(np.mean(absent >= v)), 4) for n, v in found.items()},
        found=round(float(np.mean(pairs >= same)), 4),
        pairs=len(pairs),
        probes=len(probes),
    )


def _neighbors(
    vectors: NDArray[np.float32], item: NDArray[np.intp], chosen: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each chosen photo, the similarity of the nearest other photo of its item and of the
    nearest of another item; -inf where there is none."""
    own = np.full(len(chosen), -np.inf, np.float32)
    other = np.full(len(chosen), -np.inf, np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        similarity = vectors[chosen] @ vectors[block].T
        same = item[chosen][:, None] == item[block][None]
        other = np.maximum(other, np.where(same, -np.inf, similarity).max(axis=1))
        inside = (chosen >= start) & (chosen < start + _BLOCK)
        same[np.flatnonzero(inside), chosen[inside] - start] = False  # itself
        own = np.maximum(own, np.where(same, similarity, -np.inf).max(axis=1))
    return own, other


def _best(vectors: NDArray[np.float32], probes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The similarity of each probe's nearest photo."""
    best = np.full(len(probes), -np.inf, np.float32)
    for start in range(0, len(vectors), _BLOCK):
        best = np.maximum(best, (probes @ vectors[start : start + _BLOCK].T).max(axis=1))
    return best

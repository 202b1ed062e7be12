"""Nearest: the best by similarity, and all that may tie with the last of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lens.gallery.index import ROUNDING, Allowed, Index
from lens.gallery.rows import Positions


def nearest(
    index: Index,
    vector: NDArray[np.float32],
    top_k: int,
    within: range,
    dead: Positions,
    allowed: Allowed | None,
) -> tuple[NDArray[np.float32], Positions]:
    """Similarities and positions of the `top_k` most similar and of all that may tie with the
    last of them."""
    asked = top_k
    while True:
        asked *= 2
        similarities, positions = index.search(vector, asked, within, dead, allowed)
        if len(positions) < asked or similarities[-1] < similarities[top_k - 1] - ROUNDING:
            best = may_be_best(similarities, top_k)
            return similarities[best], positions[best]


def may_be_best(similarities: NDArray[np.float32], top_k: int) -> Positions:
    """Positions of the `top_k` greatest and of all that may tie with the last of them."""
    if len(similarities) <= top_k:
        return np.arange(len(similarities))
    last = np.partition(similarities, -top_k)[-top_k]
    return np.flatnonzero(similarities >= last - ROUNDING)

"""Large galleries that look like a real one: its embeddings, mixed within their categories.

An item is a mixture of three real photos of one category, moved by noise with the covariance that
photos of a category have around their mean; its photos are moved by noise with the covariance that
real photos of one item have. So categories, items, spectrum and neighbors stay as they are in the
real gallery (`likeness` says how much), which no uniform noise does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Names = NDArray[np.bytes_]

_CHUNK = 65_536  # items drawn at a time


@dataclass(frozen=True)
class Photos:
    """Embedded photos: (N, D) float32 unit vectors, and each one's item and category."""

    vectors: Vectors
    item: Names
    category: Names

    def take(self, positions: NDArray[np.intp]) -> Photos:
        """These photos, in this order."""
        return Photos(self.vectors[positions], self.item[positions], self.category[positions])

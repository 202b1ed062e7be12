"""Eight bits: unit vectors at a quarter of their size, for those who search a large gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_MOST = 127
_BATCH = 65_536  # vectors at a time


@dataclass(frozen=True)
class EightBits:
    """(N, D) unit vectors as int8 codes, each scaled so that its greatest number is 127.

    A vector is the unit vector in its codes' direction, so no scale is kept. It is indexed as the
    array of float32 that it stands for; what is taken out of it is made then.
    """

    codes: NDArray[np.int8]

    @classmethod
    def of(cls, vectors: Vectors) -> EightBits:
        """The nearest codes of (N, D) vectors."""
        codes = np.empty(vectors.shape, np.int8)
        for start in range(0, len(vectors), _BATCH):
            some = vectors[start : start + _BATCH]
            greatest = np.abs(some).max(axis=1, keepdims=True, initial=0)
            codes[start : start + _BATCH] = np.rint(some * (_MOST / np.maximum(greatest, 1e-12)))
        return cls(codes)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""
        return self.codes.shape

    def __getitem__(self, positions: slice | NDArray[np.integer[Any]] | np.integer[Any]) -> Vectors:
        found: Vectors = self.codes[positions].astype(np.float32)
        # Sums of squares of small integers are exact, so no grouping of them changes a vector.
        lengths = np.sqrt(np.einsum("...j,...j->...", found, found))
        found /= np.maximum(lengths, 1)[..., None]
        return found

    def check(self) -> None:
        """ValueError unless every one has a direction. It reads all of them."""
        if len(self) and int(np.abs(self.codes).max(axis=1).min()) < _MOST:
            raise ValueError("a vector of 8 bits without a direction")

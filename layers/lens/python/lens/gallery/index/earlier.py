"""Earlier: the vectors of snapshots from before there were lists, kept in an index of FAISS."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError


def read_vectors(data: NDArray[np.uint8]) -> NDArray[np.float32]:
    """All vectors of a FAISS index, (N, D) float32; ArtifactError when FAISS cannot read it."""
    try:
        index = faiss.deserialize_index(data)
        if index.ntotal == 0:
            return np.empty((0, index.d), np.float32)
        vectors: NDArray[np.float32] = index.reconstruct_n(0, index.ntotal)
    except RuntimeError as error:
        raise ArtifactError("the index is not readable by FAISS; build it again") from error
    return vectors

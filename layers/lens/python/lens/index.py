"""The index: exact or near-exact nearest neighbors of a unit vector, by FAISS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError

# One query is faster on one thread; several threads only get in each other's way under load.
faiss.omp_set_num_threads(1)

FLAT_ROWS = 65_000  # where an exact scan leaves the millisecond
_FACTORY = {"flat": "Flat", "fp16": "SQfp16"}


class Index:
    """Vectors by position (0..N-1), searched by inner product. Read-only once built."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def embedding_dim(self) -> int:
        """Numbers in a vector."""
        return int(self._index.d)

    def search(
        self, vector: NDArray[np.float32], top_k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Similarities (descending) and positions of the nearest, at most `top_k`.

        vector: (D,) float32. allowed: (N,) bool, the positions that may be found; None means all.
        """
        top_k = min(top_k, len(self))
        if top_k == 0:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        parameters = None
        if allowed is not None:
            bitmap = np.packbits(allowed, bitorder="little")
            # FAISS keeps only a pointer: `bitmap` must live as long as the selector.
            # (Its type stubs know neither the selector from an array nor the keyword.)
            selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        similarities, positions = self._index.search(vector[None], top_k, params=parameters)
        found = positions[0] >= 0
        return similarities[0][found], positions[0][found]

    def vectors(self) -> NDArray[np.float32]:
        """All vectors, (N, D) float32, as the index keeps them."""
        if len(self) == 0:
            return np.empty((0, self.embedding_dim), np.float32)
        result: NDArray[np.float32] = self._index.reconstruct_n(0, len(self))
        return result

    def vectors_at(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors at these positions, (len(positions), D) float32, as the index keeps them."""
        if len(positions) == 0:
            return np.empty((0, self.embedding_dim), np.float32)
        result: NDArray[np.float32] = self._index.reconstruct_batch(positions)
        return result

    def to_bytes(self) -> bytes:
        """The index as FAISS writes it to a file."""
        data: NDArray[np.uint8] = faiss.serialize_index(self._index)
        return data.tobytes()


def build_index(vectors: NDArray[np.float32]) -> tuple[Index, str]:
    """An index over (N, D) float32 unit vectors, and the type chosen for their number."""
    kind = "flat" if len(vectors) <= FLAT_ROWS else "fp16"
    index = faiss.index_factory(vectors.shape[1], _FACTORY[kind], faiss.METRIC_INNER_PRODUCT)
    if len(vectors):
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        index.train(vectors)
        index.add(vectors)
    return Index(index), kind


def load_index(path: Path) -> Index:
    """Read an index from a local file; ArtifactError when FAISS cannot."""
    return _load(lambda: faiss.read_index(str(path)), path.name)


def index_from_bytes(data: bytes) -> Index:
    """Read an index from memory; ArtifactError when FAISS cannot."""
    return _load(lambda: faiss.deserialize_index(np.frombuffer(data, np.uint8)), "the index")


def _load(read: Callable[[], faiss.Index], name: str) -> Index:
    try:
        return Index(read())
    except RuntimeError as error:
        raise ArtifactError(f"{name} is not a readable FAISS index; build it again") from error

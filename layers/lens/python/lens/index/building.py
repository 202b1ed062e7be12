"""Building: the index for a gallery's size, with as little effort as its measured recall allows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from lens.index.lists import Positions, Vectors, encode, sort_into_lists
from lens.index.nearest import SCANNED_ROWS, Index

FLAT_ROWS = 16_384  # where a scan begins to cost more than a search through lists
RECALL = 0.995  # asked for on the sample, so that 0.99 holds beyond it
SAMPLE = 128  # rows searched for, each without itself
RECALL_AT = 10
# Lists read and candidates ranked exactly, the least effort first.
EFFORTS = (
    *((8, 128), (16, 256), (24, 384), (32, 512), (64, 512), (64, 1_024)),
    *((128, 1_024), (128, 2_048), (256, 4_096)),
)
_NUMBERS_PER_PIECE = (2, 1)  # of a code, the coarse one first


@dataclass(frozen=True)
class BuiltIndex:
    """An index, the order in which it wants the vectors it was built from, and what was measured.

    recall: recall@10 of the sample, over all rows and within parts, whichever is less.
    """

    index: Index
    order: Positions
    recall: float = 1.0

    @property
    def name(self) -> str:
        """Its type, as it is recorded."""
        return self.index.lists.name if self.index.lists else "flat"


def build_index(vectors: Vectors, parts: Sequence[int] = (0,)) -> BuiltIndex:
    """An index over (N, D) float32 unit vectors, which lie in parts that will be searched alone.

    parts: the first position of each part, ascending. The index's order keeps each part together.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(vectors) <= FLAT_ROWS:
        return BuiltIndex(Index(vectors), np.arange(len(vectors)))
    order, centroids, starts = sort_into_lists(vectors, parts, round(len(vectors) ** 0.5))
    vectors = vectors[order]
    trials = _trials(vectors, parts)
    for numbers in _NUMBERS_PER_PIECE:
        if vectors.shape[1] % numbers:
            continue
        lists = encode(vectors, centroids, starts, numbers)
        for effort in EFFORTS:
            index = Index(vectors, lists.tuned(*effort))
            recall = min(_recall(index, kind) for kind in trials)
            if recall >= RECALL:
                return BuiltIndex(index, order, recall)
    return BuiltIndex(Index(vectors), order)


@dataclass(frozen=True)
class _Trial:
    """A row to search for, where, and the nearest rows other than itself."""

    position: int
    within: range
    nearest: NDArray[np.int64]


def _trials(vectors: Vectors, parts: Sequence[int]) -> list[list[_Trial]]:
    """Rows with their true neighbors: among all rows, and in a part, seldom the row's own."""
    chance = np.random.default_rng(2)
    sample = np.sort(chance.permutation(len(vectors))[:SAMPLE])
    everywhere = range(len(vectors))
    nearest = _exact(vectors, vectors[sample])
    trials = [[_Trial(int(p), everywhere, near) for p, near in zip(sample, nearest, strict=True)]]
    bounds = [*parts, len(vectors)]
    spans = [range(*bound) for bound in itertools.pairwise(bounds)]
    large = [span for span in spans if len(span) > SCANNED_ROWS]
    if large and len(spans) > 1:
        inside = []
        for number, some in enumerate(np.array_split(chance.permutation(sample), len(large))):
            span = large[number]
            if len(some):
                found = span.start + _exact(vectors[span.start : span.stop], vectors[some])
                inside += [_Trial(int(p), span, n) for p, n in zip(some, found, strict=True)]
        trials.append(inside)
    return trials


def _exact(vectors: Vectors, queries: Vectors) -> NDArray[np.int64]:
    found: NDArray[np.int64] = faiss.knn(
        queries, vectors, RECALL_AT + 1, metric=faiss.METRIC_INNER_PRODUCT
    )[1]
    return found


def _recall(index: Index, trials: list[_Trial]) -> float:
    shares = []
    for trial in trials:
        _, found = index.search(index.vectors[trial.position], RECALL_AT + 1, trial.within)
        wanted = trial.nearest[trial.nearest != trial.position][:RECALL_AT]
        shares.append(np.isin(wanted, found).mean())
    return float(np.mean(shares))

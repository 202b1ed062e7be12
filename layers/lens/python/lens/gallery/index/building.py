"""Building: the index for a gallery's size, with as little effort as its measured recall allows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np

from lens.gallery.index.index import SCANNED_ROWS, Index
from lens.gallery.index.inverted_lists import Positions, Vectors, encode, sort_into_lists

FLAT_ROWS = 16_384  # where a scan begins to cost more than a search through lists
RECALL = 0.993  # asked for on the sample, so that 0.99 holds beyond it
SAMPLE = 128  # rows searched for, each without itself
RECALL_AT = 10
# Lists read and candidates ranked exactly, the least effort first.
EFFORTS = (
    *((8, 128), (16, 128), (16, 192), (32, 128), (32, 192), (32, 256), (64, 256), (64, 512)),
    *((128, 512), (128, 1_024), (256, 1_024), (256, 2_048), (512, 4_096)),
)
# By so much may two ways of multiplying the same float32 unit vectors differ.
_ROUNDING = 1e-5
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
    # A search leaves its thread with one core; here there is work for all.
    faiss.omp_set_num_threads(os.cpu_count() or 1)
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
    """A row to search for, where, and what its nearest rows but itself are at least similar."""

    position: int
    within: range
    least: float
    count: int  # of those nearest rows


def _trials(vectors: Vectors, parts: Sequence[int]) -> list[list[_Trial]]:
    """Rows with their true neighbors: among all rows, and in a part, seldom the row's own."""
    chance = np.random.default_rng(2)
    sample = np.sort(chance.permutation(len(vectors))[:SAMPLE])
    bounds = [*parts, len(vectors)]
    spans = [range(*bound) for bound in itertools.pairwise(bounds)]
    large = [span for span in spans if len(span) > SCANNED_ROWS]
    trials = [_of(vectors, range(len(vectors)), sample)]
    if large and len(spans) > 1:
        shuffled = np.array_split(chance.permutation(sample), len(large))
        inside = (_of(vectors, span, some) for span, some in zip(large, shuffled, strict=True))
        trials.append([trial for few in inside for trial in few])
    return trials


def _of(vectors: Vectors, within: range, sample: Positions) -> list[_Trial]:
    if len(sample) == 0:
        return []
    similarities, found = faiss.knn(
        vectors[sample],
        vectors[within.start : within.stop],
        RECALL_AT + 1,
        metric=faiss.METRIC_INNER_PRODUCT,
    )
    trials = []
    for position, near, row in zip(sample, similarities, found, strict=True):
        others = near[(row >= 0) & (row + within.start != position)][:RECALL_AT]
        trials.append(_Trial(int(position), within, float(others[-1]), len(others)))
    return trials


def _recall(index: Index, trials: list[_Trial]) -> float:
    """The share of the nearest that is found; any of several that tie for the last place counts."""
    shares = []
    for trial in trials:
        query = index.vectors[trial.position]
        similarities, found = index.search(query, RECALL_AT + 1, trial.within)
        right = similarities[found != trial.position] >= trial.least - _ROUNDING
        shares.append(min(int(np.count_nonzero(right)), trial.count) / trial.count)
    return float(np.mean(shares))

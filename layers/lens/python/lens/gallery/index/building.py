"""Building: the index for a gallery's size, with as little effort as its measured recall allows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np

from lens.gallery.index.index import ROUNDING, SCAN_LIMIT, SCANNED_SPAN, Index
from lens.gallery.index.inverted_lists import Vectors, encode, sort_into_lists
from lens.gallery.rows import Positions

RECALL = 0.993  # asked for on the sample, so that 0.99 holds beyond it
SAMPLE = 128  # rows searched for, each without itself
RECALL_AT = 10
# (nprobe, candidates ranked exactly), the least effort first.
EFFORTS = (
    *((8, 128), (16, 128), (16, 192), (32, 128), (32, 192), (32, 256), (64, 256), (64, 512)),
    *((128, 512), (128, 1_024), (256, 1_024), (256, 2_048), (512, 4_096)),
)
_DIMS_PER_CODE = (2, 1)  # the coarser codes first


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
    if len(vectors) <= SCAN_LIMIT:
        return BuiltIndex(Index(vectors), np.arange(len(vectors)))
    # Searches limit FAISS to one core of the calling thread; building uses all of them.
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    order, centroids, starts = sort_into_lists(vectors, parts, round(len(vectors) ** 0.5))
    vectors = vectors[order]
    samples = _samples(vectors, parts)
    for dims in _DIMS_PER_CODE:
        if vectors.shape[1] % dims:
            continue
        lists = encode(vectors, centroids, starts, dims)
        for effort in EFFORTS:
            index = Index(vectors, lists.tuned(*effort))
            recall = min(_recall(index, each) for each in samples)
            if recall >= RECALL:
                return BuiltIndex(index, order, recall)
    return BuiltIndex(Index(vectors), order)


@dataclass(frozen=True)
class _Query:
    """A row that is searched for, and how similar its true neighbors are at least."""

    position: int
    within: range  # the positions to search
    least_similarity: float  # of its true neighbors, itself left out
    neighbors: int


def _samples(vectors: Vectors, parts: Sequence[int]) -> list[list[_Query]]:
    """Two samples of queries: rows searched among all rows, and rows searched within one part."""
    chance = np.random.default_rng(2)
    sample = np.sort(chance.permutation(len(vectors))[:SAMPLE])
    bounds = [*parts, len(vectors)]
    spans = [range(*bound) for bound in itertools.pairwise(bounds)]
    large = [span for span in spans if len(span) > SCANNED_SPAN]
    samples = [_with_true_neighbors(vectors, range(len(vectors)), sample)]
    if large and len(spans) > 1:
        shuffled = np.array_split(chance.permutation(sample), len(large))
        inside = (
            _with_true_neighbors(vectors, span, some)
            for span, some in zip(large, shuffled, strict=True)
        )
        samples.append([query for few in inside for query in few])
    return samples


def _with_true_neighbors(vectors: Vectors, within: range, sample: Positions) -> list[_Query]:
    """A query of each sampled position; its true neighbors are found by a scan."""
    if len(sample) == 0:
        return []
    similarities, found = faiss.knn(
        vectors[sample],
        vectors[within.start : within.stop],
        RECALL_AT + 1,
        metric=faiss.METRIC_INNER_PRODUCT,
    )
    queries = []
    for position, near, row in zip(sample, similarities, found, strict=True):
        others = near[(row >= 0) & (row + within.start != position)][:RECALL_AT]
        queries.append(_Query(int(position), within, float(others[-1]), len(others)))
    return queries


def _recall(index: Index, queries: list[_Query]) -> float:
    """The share of the nearest that is found; any of several that tie for the last place counts."""
    shares = []
    for query in queries:
        vector = index.vectors[query.position]
        similarities, found = index.search(vector, RECALL_AT + 1, query.within)
        right = similarities[found != query.position] >= query.least_similarity - ROUNDING
        shares.append(min(int(np.count_nonzero(right)), query.neighbors) / query.neighbors)
    return float(np.mean(shares))

"""Inverted lists (FAISS's IVF-PQ with 4-bit codes), which propose the candidates of a search.

A list holds a run of positions, and the lists of a category follow each other. So a search within
a category reads only that category's lists.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import faiss
import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError
from lens.gallery.index.allowed import Allowed
from lens.gallery.rows import Positions

Vectors = NDArray[np.float32]

_BATCH = 65_536  # vectors encoded at a time
_CODED_SAMPLE = 16_384  # vectors that the codes are trained on
# What `candidates` is measured at: a search for the first page and its lead over the next.
_USUAL_TOP_K = 24
_FARTHER = 1.25


@dataclass(frozen=True)
class InvertedLists:
    """4-bit product quantization of residuals, in lists (FAISS IVFPQFastScan).

    centroids: (L, D) float32. starts: (L + 1,) the position at which each list begins.
    """

    index: faiss.IndexIVFPQFastScan
    centroids: Vectors
    starts: Positions
    nprobe: int = 1  # lists that a search reads
    candidates: int = _USUAL_TOP_K  # ranked exactly, in a search for _USUAL_TOP_K results

    @property
    def name(self) -> str:
        """What FAISS calls it."""
        return f"IVF{len(self.centroids)},PQ{self.index.pq.M}x4fs"

    def tuned(self, nprobe: int, candidates: int) -> InvertedLists:
        """The same lists, searched with more or less effort."""
        return replace(self, nprobe=nprobe, candidates=candidates)

    def candidates_for(self, top_k: int, span: range) -> int:
        """How many candidates a search for `top_k` results needs.

        Within a category twice as many, from twice as many lists: the query may be unlike
        everything in the category, and then the codes rank its rows less well.
        """
        count = -(-self.candidates * max(top_k, _USUAL_TOP_K) // _USUAL_TOP_K)
        return count if len(span) == self.index.ntotal else 2 * count

    def propose(
        self, vector: Vectors, count: int, span: range, allowed: Allowed | None = None
    ) -> Positions:
        """Positions within the span, and of those allowed, that may be nearest, at most `count`, in
        no exact order.

        nprobe grows with `count`; when `count` is the whole span, every position is proposed. Of
        few allowed positions fewer lie in a list, and more lists are read.
        """
        first = int(np.searchsorted(self.starts, span.start, side="right")) - 1
        last = int(np.searchsorted(self.starts, span.stop, side="left"))
        nprobe = -(-self.nprobe * count // self.candidates)
        if nprobe >= last - first or count >= len(span):
            nprobe = last - first
        if count >= len(span):  # and what else the first list and the last hold
            count = int(self.starts[last] - self.starts[first])
        query = np.ascontiguousarray(vector, np.float32)
        centroids = self.centroids[first:last]
        if allowed is None:
            nearness, probed = faiss.knn(
                query[None], centroids, nprobe, metric=faiss.METRIC_INNER_PRODUCT
            )
        else:
            # Not by `@`: BLAS wakes its threads for it, which takes longer than all the rest.
            inner = np.einsum("ij,j->i", centroids, query)
            order = np.argsort(-inner)
            order = order[allowed.in_lists[first:last][order] > 0]
            inside = allowed.in_lists[first:last][order]
            # The first list and the last may hold neighbors of the span, which take places.
            count += int(inside.sum()) - len(allowed.within(span))
            nprobe = self._lists_for(inside, count, nprobe)
            probed = order[None, :nprobe]
            nearness = np.ascontiguousarray(inner[probed])
        probed = np.ascontiguousarray(probed + first)
        estimates, found = np.empty(count, np.float32), np.empty(count, np.int64)
        # Without a selector FAISS takes a shorter way.
        chosen = {} if allowed is None else {"sel": allowed.selector}
        parameters = faiss.SearchParametersIVF(nprobe=nprobe, **chosen)  # type: ignore[call-arg]
        arrays = map(faiss.swig_ptr, (query, probed, nearness, estimates, found))
        query_, probed_, nearness_, estimates_, found_ = arrays
        # FAISS's method for Python takes no parameters.
        self.index.search_preassigned_c(  # type: ignore[attr-defined]
            1, query_, count, probed_, nearness_, estimates_, found_, False, parameters
        )
        # Nothing found is -1.
        return found[(found >= span.start) & (found < span.stop)]

    def _lists_for(self, inside: Positions, count: int, nprobe: int) -> int:
        """How many lists to read, the nearest first, of which each has so many allowed positions
        inside.

        So many that they have `count`, and `_FARTHER` times the rows that a search for everything
        reads, times the root of the share that is allowed. What is allowed may lie together and far
        from the query, whose nearest are then spread over more lists. Measured at shares of 50 to
        0.5 % (tests/benchmarks/filtered_search.py).
        """
        total = int(inside.sum())
        rows = _FARTHER * nprobe * self.index.ntotal / len(self.centroids)
        share = total / max(1, self.index.ntotal * len(inside) / len(self.centroids))
        wanted = min(total, max(count, math.ceil(rows * min(1.0, share) ** 0.5)))
        enough = int(np.searchsorted(np.cumsum(inside), wanted)) + 1
        return min(len(inside), max(nprobe, enough))

    def to_bytes(self) -> bytes:
        """The lists as FAISS writes them to a file."""
        data: NDArray[np.uint8] = faiss.serialize_index(self.index)
        return data.tobytes()


def sort_into_lists(
    vectors: Vectors, parts: Sequence[int], rows_per_list: int
) -> tuple[Positions, Vectors, Positions]:
    """Cut parts into lists of about `rows_per_list` rows each. Returns the new order of the vectors
    (within each part), the lists' centroids and where the lists start.

    parts: the first position of each part, 0 among them, ascending. Small neighbors share a list.
    """
    order, centroids, starts = [], [], []
    for start, stop, whole in _runs([*parts, len(vectors)], rows_per_list):
        count = round((stop - start) / rows_per_list) if whole else 1
        mine = vectors[start:stop]
        if count <= 1:
            mean = mine.mean(axis=0, keepdims=True)
            centroids.append(mean / max(float(np.linalg.norm(mean)), 1e-12))
            order.append(np.arange(start, stop))
            starts.append(np.array([start]))
            continue
        means = faiss.Kmeans(
            vectors.shape[1],
            count,
            niter=6,
            seed=1,
            spherical=True,
            min_points_per_centroid=1,
            max_points_per_centroid=64,
        )
        means.train(mine)
        assert means.centroids is not None
        nearest = np.concatenate(
            [_nearest(mine[i : i + _BATCH], means.centroids) for i in range(0, len(mine), _BATCH)]
        )
        mine_order = np.argsort(nearest, kind="stable")
        sizes = np.bincount(nearest, minlength=count)
        centroids.append(means.centroids)
        order.append(start + mine_order)
        starts.append(start + np.cumsum(sizes) - sizes)
    ends = np.array([len(vectors)])
    return np.concatenate(order), np.concatenate(centroids), np.concatenate([*starts, ends])


def encode(
    vectors: Vectors, centroids: Vectors, starts: Positions, dims_per_code: int
) -> InvertedLists:
    """InvertedLists of (N, D) vectors that lie in the lists' order; each
    `dims_per_code` dimensions become a code of 4 bits."""
    dim = vectors.shape[1]
    coarse = faiss.IndexFlatIP(dim)
    coarse.add(centroids)
    codes = dim // dims_per_code
    plain = faiss.IndexIVFPQ(coarse, dim, len(centroids), codes, 4, faiss.METRIC_INNER_PRODUCT)
    plain.by_residual = True
    list_of = np.repeat(np.arange(len(centroids)), np.diff(starts))
    chance = np.random.default_rng(0)
    sample = np.sort(chance.permutation(len(vectors))[:_CODED_SAMPLE])
    plain.pq.cp.seed = 1
    plain.pq.cp.niter = 10
    plain.pq.cp.min_points_per_centroid = 1
    plain.pq.train(vectors[sample] - centroids[list_of[sample]])
    plain.is_trained = True
    batches = range(0, len(vectors), _BATCH)
    codes = np.concatenate(
        [
            plain.pq.compute_codes(vectors[i : i + _BATCH] - centroids[list_of[i : i + _BATCH]])
            for i in batches
        ]
    )
    positions = np.arange(len(vectors), dtype=np.int64)
    assert plain.invlists is not None
    for number, (start, stop) in enumerate(itertools.pairwise(starts)):
        if stop > start:
            plain.invlists.add_entries(
                number,
                int(stop - start),
                faiss.swig_ptr(positions[start:stop]),
                faiss.swig_ptr(codes[start:stop]),
            )
    plain.ntotal = len(vectors)
    # It points into `plain` and `coarse`; read back, it owns all that it needs.
    return load_lists(faiss.serialize_index(faiss.IndexIVFPQFastScan(plain)))


def load_lists(
    data: NDArray[np.uint8], nprobe: int = 1, candidates: int = _USUAL_TOP_K
) -> InvertedLists:
    """Read lists as `to_bytes` gave them; ArtifactError when FAISS cannot."""
    try:
        index = faiss.deserialize_index(data)
    except RuntimeError as error:
        raise ArtifactError("the index is not readable by FAISS; build it again") from error
    if not isinstance(index, faiss.IndexIVFPQFastScan):
        raise ArtifactError(f"the index is a {type(index).__name__}; build it again")
    centroids = index.quantizer.reconstruct_n(0, index.nlist)
    assert index.invlists is not None
    sizes = [index.invlists.list_size(number) for number in range(index.nlist)]
    return InvertedLists(
        index, centroids, np.concatenate([[0], np.cumsum(sizes)]), nprobe, candidates
    )


def _runs(bounds: Sequence[int], rows_per_list: int) -> list[tuple[int, int, bool]]:
    """Large parts by themselves (True), and small neighbors taken together to fill a list."""
    runs: list[tuple[int, int, bool]] = []
    for start, stop in itertools.pairwise(bounds):
        large = stop - start >= rows_per_list
        if runs and not large and not runs[-1][2] and stop - runs[-1][0] <= rows_per_list:
            runs[-1] = (runs[-1][0], stop, False)
        elif stop > start:
            runs.append((start, stop, large))
    return runs


def _nearest(vectors: Vectors, centroids: Vectors) -> Positions:
    nearest: Positions = np.argmax(vectors @ centroids.T, axis=1)
    return nearest

"""Nearest: the vectors of a snapshot, searched by scan or through lists, ranked exactly."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np

from lens.gallery.index.allowed import Allowed
from lens.gallery.index.eight_bits import EightBits
from lens.gallery.index.inverted_lists import InvertedLists, Vectors
from lens.gallery.rows import Mask, Positions, among

# A scan of this many rows takes a third of a millisecond. A gallery of more rows gets inverted
# lists, and a tail of more is folded.
SCAN_LIMIT = 16_384
# Within a span, a scan of this many rows takes as long as a search through the lists.
SCANNED_SPAN = 8_192
# So many allowed rows are scanned as fast as a search through the lists finds them.
SCANNED_FEW = 2_048
# Two ways of multiplying the same float32 unit vectors differ by at most this.
ROUNDING = 1e-5
_NONE = np.empty(0, np.intp)


@dataclass(frozen=True)
class Index:
    """(N, D) unit vectors by position, float32 or of 8 bits, searched by inner product. Read-only.

    The vectors may lie in a mapped file: a search touches its candidates' pages only. Without
    lists every search scans, which is exact.
    """

    stored: Vectors | EightBits
    lists: InvertedLists | None = None

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def vectors(self) -> Vectors:
        """The exact ones, for whoever writes them again. TypeError where those of 8 bits were
        loaded, which are for searches."""
        if isinstance(self.stored, EightBits):
            raise TypeError("these vectors have 8 bits: load the exact ones to write them again")
        return self.stored

    @property
    def embedding_dim(self) -> int:
        """Numbers in a vector."""
        return int(self.stored.shape[1])

    def allow(self, mask: Mask) -> Allowed:
        """These positions, (len(self),), as searches ask for them."""
        return Allowed.of(mask, self.lists.starts if self.lists else _NONE)

    def search(
        self,
        vector: Vectors,
        top_k: int,
        within: range | None = None,
        dead: Positions = _NONE,
        allowed: Allowed | None = None,
    ) -> tuple[Vectors, Positions]:
        """Similarities (descending) and positions of the nearest, at most `top_k`.

        vector: (D,) float32. within: the positions to search, all by default. dead: sorted
        positions that must not be found. allowed: the positions that may be found, `dead` or not;
        all by default.
        """
        span = within if within is not None else range(len(self))
        if len(span) == 0 or top_k <= 0:
            return np.empty(0, np.float32), _NONE
        # One query is faster on one core; OpenMP counts for each thread that calls it anew.
        faiss.omp_set_num_threads(1)
        lists = self.lists if len(span) > SCANNED_SPAN else None
        if allowed is not None:
            found = self._allowed(vector, top_k, span, lists, allowed)
            return _ranked(self.stored, vector, top_k, found)
        asked = lists.candidates_for(top_k, span) if lists else top_k + min(top_k, len(dead))
        while True:
            if lists is None:
                found = _scan(self.stored[span.start : span.stop], vector, asked) + span.start
            else:
                found = lists.propose(vector, asked, span)
            alive = found[~among(found, dead)[0]]
            # The dead must not crowd out what a list's rough order put just behind them.
            enough = top_k if lists is None else asked - asked // 8
            if len(alive) >= enough or asked >= len(span):
                break
            asked *= 2
        return _ranked(self.stored, vector, top_k, alive)

    def _allowed(
        self,
        vector: Vectors,
        top_k: int,
        span: range,
        lists: InvertedLists | None,
        allowed: Allowed,
    ) -> Positions:
        """Allowed positions of a span among which its nearest are: few are scanned, which is exact;
        of many the lists propose some."""
        few = allowed.within(span)
        asked = lists.candidates_for(top_k, span) if lists else 2 * top_k
        if len(few) <= max(SCANNED_FEW, asked):
            return few[_scan(self.stored[few], vector, 2 * top_k)]
        if lists is not None:
            return lists.propose(vector, asked, span, allowed)
        asked = asked * len(span) // len(few)
        while True:
            found = _scan(self.stored[span.start : span.stop], vector, asked) + span.start
            found = found[allowed.mask[found]]
            if len(found) >= top_k or asked >= len(span):
                return found
            asked *= 2


def _ranked(
    vectors: Vectors | EightBits, vector: Vectors, top_k: int, positions: Positions
) -> tuple[Vectors, Positions]:
    similarities = similarities_of(vectors[positions], vector)
    best = np.arange(len(positions))
    if top_k < len(positions):
        best = np.argpartition(-similarities, top_k)[:top_k]
    best = best[np.argsort(-similarities[best])]
    return similarities[best], positions[best]


def similarities_of(vectors: Vectors, vector: Vectors) -> Vectors:
    """Inner products, (len(vectors),). One way to multiply, whatever else lies beside a vector:
    the same photo under two keys is equally similar, and a warm searcher ranks as a new one."""
    similarities: Vectors = np.einsum("ij,j->i", vectors, vector)
    return similarities


def _scan(vectors: Vectors, vector: Vectors, top_k: int) -> Positions:
    top_k = min(top_k, len(vectors))
    _, positions = faiss.knn(vector[None], vectors, top_k, metric=faiss.METRIC_INNER_PRODUCT)
    found: Positions = positions[0][positions[0] >= 0]
    return found

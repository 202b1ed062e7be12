"""Score: a protocol's figures, from the items that its queries' results show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.evaluation.metrics import map_at_r, recall_at_k

KS = (1, 5, 10, 20, 30)  # those of the In-Shop benchmark


@dataclass(frozen=True)
class Score:
    """Figures as fractions; recall_at_k by K, as text."""

    queries: int
    recall_at_k: dict[str, float]
    map_at_r: float


class Scorer:
    """Collects what each query found in a gallery, by the item_ids of the gallery's photos."""

    def __init__(self, gallery: Iterable[str]) -> None:
        self._photos_of = Counter(gallery)
        self._relevant: list[NDArray[np.bool_]] = []
        self._totals: list[int] = []

    @property
    def depth(self) -> int:
        """How many results of a query the figures need."""
        return max(*KS, *self._photos_of.values())

    def add(
        self, item_id: str, found: Sequence[str], *, in_gallery: bool = False
    ) -> NDArray[np.bool_]:
        """Count a query of an item whose results, by rank, show the items `found`.

        `in_gallery`: the gallery has the query's own photo, which is not among its results. A
        query whose item the gallery does not show is answered wrongly, as in the benchmark.
        Returns which results are right.
        """
        right = np.array([each == item_id for each in found], dtype=bool)
        self._relevant.append(right)
        self._totals.append(self._photos_of[item_id] - in_gallery)
        return right

    def score(self) -> Score:
        """The figures of all queries so far; 0 of none."""
        recalls = {str(k): recall_at_k(self._relevant, k) for k in KS}
        return Score(len(self._totals), recalls, map_at_r(self._relevant, self._totals))

"""Retrieval metrics: pure functions of which results were right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def recall_at_k(relevant: Sequence[NDArray[np.bool_]], k: int) -> float:
    """Share of queries with at least one right result among the first k.

    relevant: for each query, whether each result by rank shows the query's item.
    """
    if not relevant:
        return 0.0
    return float(np.mean([row[:k].any() for row in relevant]))


def map_at_r(relevant: Sequence[NDArray[np.bool_]], totals: Sequence[int]) -> float:
    """Mean average precision at R, R being the number of right photos in the gallery (`totals`).

    Musgrave, Belongie and Lim, A Metric Learning Reality Check, 2020 (arXiv 2003.08505), §3.2.
    Each row must hold at least its first R results, or all there are.
    """
    if not relevant:
        return 0.0
    values = []
    for row, total in zip(relevant, totals, strict=True):
        if total == 0:
            values.append(0.0)
            continue
        hits = row[:total].astype(np.float64)
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        values.append(float((precision * hits).sum() / total))
    return float(np.mean(values))

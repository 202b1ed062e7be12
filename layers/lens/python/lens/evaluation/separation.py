"""Separation: how well a score tells photos of one side from those of the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FALSE_ACCEPTS = 0.05
_ROUNDING = 1e-9  # of sums of shares

Floats = NDArray[np.float64]


def auroc(positives: Floats, negatives: Floats) -> float:
    """How often a positive scores above a negative, ties counting half; NaN without one of both.

    The area under the ROC curve, as the Mann-Whitney statistic (Hanley and McNeil, 1982).
    """
    if not len(positives) or not len(negatives):
        return float("nan")
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    not_above = np.searchsorted(ordered, positives, "right")
    return float((below + not_above).mean() / (2 * len(negatives)))


def threshold(negatives: Floats, kinds: NDArray[np.intp]) -> float:
    """The score above which a share of FALSE_ACCEPTS of the negatives lies at most, each of their
    kinds counting alike however many photos it has. Infinite without a negative."""
    if not len(negatives):
        return float("inf")
    order = np.argsort(-negatives, kind="stable")
    ranked, of_kind = negatives[order], kinds[order]
    counts = np.bincount(of_kind)
    shares = 1 / counts[of_kind] / np.count_nonzero(counts)
    accepted = np.cumsum(shares)
    first = int(np.searchsorted(accepted, FALSE_ACCEPTS + _ROUNDING, "right"))
    return float(ranked[first])


def share_above(scores: Floats, least: float) -> float:
    """Share of scores above a threshold; NaN without one."""
    return float((scores > least).mean()) if len(scores) else float("nan")

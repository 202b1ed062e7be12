"""Intervals: a figure with its 95 % bootstrap interval, and what one query can move it by."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A figure of the queries at these positions, some of them several times.
Statistic = Callable[[NDArray[np.intp]], float]

_ROUNDS = 1000
_SEED = 0
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Figure:
    """A figure and its interval, in one unit; all None without a query."""

    value: float | None
    low: float | None
    high: float | None
    queries: int
    one_query: float | None  # the most that one query's other answer moves a mean by


def figure(
    statistic: Statistic, groups: Sequence[Hashable], *, one_query: float | None = None
) -> Figure:
    """A statistic of all queries, and between what it lies 95 % of the time; see `draws`.

    groups: of each query. one_query: 1/queries by default.
    """
    if not groups:
        return Figure(None, None, None, 0, None)
    value = statistic(np.arange(len(groups)))
    drawn = [statistic(chosen) for chosen in draws(groups)]
    return figure_of(value, drawn, len(groups), one_query)


def figure_of(
    value: float, drawn: Sequence[float], queries: int, one_query: float | None = None
) -> Figure:
    """A figure whose value was computed of all queries, and of each draw; draws of which there is
    no value (NaN) are left out."""
    if np.isnan(value):
        return Figure(None, None, None, queries, None)
    low, high = np.nanpercentile(drawn, _PERCENTILES)
    worth = 1 / queries if one_query is None else one_query
    return Figure(float(value), float(low), float(high), queries, worth)


def draws(
    groups: Sequence[Hashable], strata: Sequence[Hashable] | None = None
) -> Iterator[NDArray[np.intp]]:
    """Positions of queries, a thousand times drawn anew, always the same.

    Efron's percentile bootstrap (Bootstrap Methods: Another Look at the Jackknife, 1979), by
    groups: whole groups are drawn with replacement, as photos of one sender are no independent
    witnesses. Of each of the `strata`, as many groups are drawn as it has.
    """
    members = _members(groups, strata or [None] * len(groups))
    rng = np.random.default_rng(_SEED)
    for _ in range(_ROUNDS):
        yield np.concatenate(
            [of[each] for of in members for each in rng.integers(len(of), size=len(of))]
        )


def mean_figure(values: Sequence[float], groups: Sequence[Hashable]) -> Figure:
    """The mean of one value a query."""
    of = np.asarray(values, np.float64)
    return figure(lambda chosen: float(of[chosen].mean()), groups)


def macro_figure(
    values: Sequence[float], classes: Sequence[str], groups: Sequence[Hashable]
) -> Figure:
    """The mean over classes of their means, each class counting alike; of a class of which a
    round draws no query, that round says nothing."""
    if not classes:
        return figure(lambda _: 0.0, ())
    mean = macro_mean(values, classes)
    counts = np.unique(list(classes), return_counts=True)[1]
    return figure(mean, groups, one_query=float(1 / (len(counts) * counts.min())))


def macro_mean(values: Sequence[float], classes: Sequence[str]) -> Statistic:
    """What `macro_figure` is a figure of."""
    of = np.asarray(values, np.float64)
    names, which = np.unique(list(classes), return_inverse=True)

    def mean(chosen: NDArray[np.intp]) -> float:
        counts = np.bincount(which[chosen], minlength=len(names))
        sums = np.bincount(which[chosen], weights=of[chosen], minlength=len(names))
        drawn = counts > 0
        return float((sums[drawn] / counts[drawn]).mean())

    return mean


def _members(
    groups: Sequence[Hashable], strata: Sequence[Hashable]
) -> list[list[NDArray[np.intp]]]:
    """By stratum, the positions of each of its groups."""
    found: dict[Hashable, dict[Hashable, list[int]]] = {}
    for position, (stratum, group) in enumerate(zip(strata, groups, strict=True)):
        found.setdefault(stratum, {}).setdefault(group, []).append(position)
    return [[np.array(each) for each in of.values()] for of in found.values()]

"""No match: how well the product tells garments that are sold from photos without a garment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lens.evaluation.intervals import Figure, Statistic, figure
from lens.evaluation.separation import auroc, share_above, threshold

Side = Literal["sold", "not sold", "no garment"]


@dataclass(frozen=True)
class Scored:
    """One photo, and how sure the product is that its garment is sold."""

    side: Side
    kind: str  # of photo: those of one kind count together
    group: str  # photos of one group are drawn together for an interval
    score: float


@dataclass(frozen=True)
class KindOfPhoto:
    """One kind of photo against all of the other side; accepted: its share above the threshold."""

    photos: int
    auroc: Figure
    accepted: Figure


@dataclass(frozen=True)
class NoMatchFigures:
    """Means over kinds of photo, each counting alike. The threshold lets 5 % of the photos without
    a garment through. `not_sold`: garments that nobody sells here, against those that are sold;
    they are in neither mean."""

    threshold: float
    auroc: Figure
    false_rejects: Figure
    sold: dict[str, KindOfPhoto]
    no_garment: dict[str, KindOfPhoto]
    not_sold: dict[str, KindOfPhoto]


def no_match_figures(scored: Sequence[Scored]) -> NoMatchFigures:
    """The figures; there must be a photo of a garment that is sold, and one without a garment.

    Intervals draw groups within each kind of photo, and set each draw's threshold anew.
    """
    return _Figures(scored).all()


class _Figures:
    """All scores by kind of photo, of which a statistic takes any choice."""

    def __init__(self, scored: Sequence[Scored]) -> None:
        self._groups = [each.group for each in scored]
        self._scores = np.array([each.score for each in scored])
        kinds = [(each.side, each.kind) for each in scored]
        self._names = list(dict.fromkeys(kinds))
        self._kinds = np.array([self._names.index(each) for each in kinds], np.intp)

    def all(self) -> NoMatchFigures:
        sold, negative = self._of("sold"), self._of("no garment")
        accepted = self._accepted(sold)
        return NoMatchFigures(
            threshold=self._threshold(np.arange(len(self._scores))),
            auroc=self._figure(self._auroc(sold, negative), sold),
            false_rejects=self._figure(lambda chosen: 1 - accepted(chosen), sold),
            sold={self._name(kind): self._kind(kind, [kind], negative) for kind in sold},
            no_garment={self._name(kind): self._kind(kind, sold, [kind]) for kind in negative},
            not_sold={
                self._name(kind): self._kind(kind, sold, [kind]) for kind in self._of("not sold")
            },
        )

    def _of(self, side: Side) -> list[int]:
        return [number for number, (each, _) in enumerate(self._names) if each == side]

    def _name(self, kind: int) -> str:
        return self._names[kind][1]

    def _kind(self, kind: int, above: list[int], below: list[int]) -> KindOfPhoto:
        return KindOfPhoto(
            photos=int((self._kinds == kind).sum()),
            auroc=self._figure(self._auroc(above, below), [kind]),
            accepted=self._figure(self._accepted([kind]), [kind]),
        )

    def _figure(self, statistic: Statistic, asked: list[int]) -> Figure:
        """`asked`: the kinds of photo whose queries the figure is told of."""
        counts = [int((self._kinds == kind).sum()) for kind in asked]
        of = figure(
            statistic,
            self._groups,
            strata=list(self._kinds),
            one_query=1 / (len(counts) * min(counts)),
        )
        return Figure(of.value, of.low, of.high, sum(counts), of.one_query)

    def _scores_of(self, kind: int, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self._scores[chosen[self._kinds[chosen] == kind]]
        return scores

    def _threshold(self, chosen: NDArray[np.intp]) -> float:
        negative = chosen[np.isin(self._kinds[chosen], self._of("no garment"))]
        return threshold(self._scores[negative], self._kinds[negative])

    def _auroc(self, above: list[int], below: list[int]) -> Statistic:
        def mean(chosen: NDArray[np.intp]) -> float:
            of = {kind: self._scores_of(kind, chosen) for kind in (*above, *below)}
            return float(np.mean([auroc(of[one], of[other]) for one in above for other in below]))

        return mean

    def _accepted(self, kinds: list[int]) -> Statistic:
        def mean(chosen: NDArray[np.intp]) -> float:
            least = self._threshold(chosen)
            shares = [share_above(self._scores_of(kind, chosen), least) for kind in kinds]
            return float(np.mean(shares))

        return mean

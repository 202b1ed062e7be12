"""No match: how well the product tells garments that are sold from photos without a garment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lens.evaluation.intervals import Figure, draws, figure_of
from lens.evaluation.separation import Floats, auroc, share_above, threshold

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
    """Computes everything of one draw at once, so that a thousand draws take seconds."""

    def __init__(self, scored: Sequence[Scored]) -> None:
        self._scores = np.array([each.score for each in scored])
        kinds = [(each.side, each.kind) for each in scored]
        self._names = list(dict.fromkeys(kinds))
        self._kinds = np.array([self._names.index(each) for each in kinds], np.intp)
        self._counts = np.bincount(self._kinds)
        self._sold = self._of("sold")
        self._negative = self._of("no garment")
        everything = np.arange(len(scored))
        self._threshold = self._least(everything)
        self._aurocs, self._accepted = self._measured(everything)
        groups = [each.group for each in scored]
        drawn = [self._measured(chosen) for chosen in draws(groups, self._kinds.tolist())]
        self._drawn_aurocs = np.array([aurocs for aurocs, _ in drawn])
        self._drawn_accepted = np.array([accepted for _, accepted in drawn])

    def all(self) -> NoMatchFigures:
        """The figures of all kinds together, and of each."""
        return NoMatchFigures(
            threshold=self._threshold,
            auroc=self._mean_auroc(self._sold, self._negative, self._sold),
            false_rejects=self._share(self._sold, 1 - self._accepted, 1 - self._drawn_accepted),
            sold={self._name(each): self._above(each) for each in self._sold},
            no_garment={self._name(each): self._below(each) for each in self._negative},
            not_sold={self._name(each): self._below(each) for each in self._of("not sold")},
        )

    def _of(self, side: Side) -> list[int]:
        return [number for number, (each, _) in enumerate(self._names) if each == side]

    def _name(self, kind: int) -> str:
        return self._names[kind][1]

    def _above(self, kind: int) -> KindOfPhoto:
        return self._alone(kind, self._mean_auroc([kind], self._negative, [kind]))

    def _below(self, kind: int) -> KindOfPhoto:
        return self._alone(kind, self._mean_auroc(self._sold, [kind], [kind]))

    def _alone(self, kind: int, of: Figure) -> KindOfPhoto:
        accepted = self._share([kind], self._accepted, self._drawn_accepted)
        return KindOfPhoto(int(self._counts[kind]), of, accepted)

    def _mean_auroc(self, above: list[int], below: list[int], asked: list[int]) -> Figure:
        """`asked`: the kinds of photo whose queries the figure is told of."""
        pairs = np.ix_(above, below)
        drawn = self._drawn_aurocs[:, pairs[0], pairs[1]].mean(axis=(1, 2))
        return self._figure(self._aurocs[pairs].mean(), drawn, asked)

    def _share(self, kinds: list[int], shares: Floats, drawn: Floats) -> Figure:
        """The mean of some kinds' shares, (K,), with those of all draws, (D, K)."""
        return self._figure(shares[kinds].mean(), drawn[:, kinds].mean(axis=1), kinds)

    def _figure(self, value: float, drawn: Floats, asked: list[int]) -> Figure:
        counts = self._counts[asked]
        return figure_of(value, drawn.tolist(), int(counts.sum()), 1 / (len(asked) * counts.min()))

    def _measured(self, chosen: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """(K, K) how often a kind of photo that is sold scores above another kind, and (K,) what
        share of each is accepted."""
        of = [self._scores[chosen[self._kinds[chosen] == kind]] for kind in range(len(self._names))]
        aurocs = np.full((len(of), len(of)), np.nan)
        for one in self._sold:
            for other in range(len(of)):
                aurocs[one, other] = auroc(of[one], of[other])
        least = self._least(chosen)
        return aurocs, np.array([share_above(scores, least) for scores in of])

    def _least(self, chosen: NDArray[np.intp]) -> float:
        negative = chosen[np.isin(self._kinds[chosen], self._negative)]
        return threshold(self._scores[negative], self._kinds[negative])

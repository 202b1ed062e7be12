"""No match: the figures of scores that are told apart, and of scores that are not."""

from __future__ import annotations

import pytest

from lens.evaluation.no_match import Scored, Side, no_match_figures


def _photos(side: Side, kind: str, scores: list[float]) -> list[Scored]:
    return [Scored(side, kind, f"{kind} {n}", score) for n, score in enumerate(scores)]


def test_garments_that_score_above_all_else_are_all_accepted() -> None:
    found = no_match_figures(
        _photos("sold", "phone", [0.8, 0.9]) + _photos("no garment", "text", [0.1] * 20)
    )
    assert (found.auroc.value, found.false_rejects.value) == (1.0, 0.0)
    assert found.threshold == 0.1
    assert found.no_garment["text"].accepted.value == 0.0


def test_every_kind_of_photo_counts_alike() -> None:
    found = no_match_figures(
        _photos("sold", "phone", [0.9] * 50)
        + _photos("sold", "composites", [0.0] * 2)
        + _photos("no garment", "text", [0.5] * 30)
        + _photos("no garment", "animals", [0.6] * 3)
    )
    assert found.auroc.value == pytest.approx(0.5)
    assert found.false_rejects.value == pytest.approx(0.5)
    assert found.false_rejects.queries == 52
    assert found.false_rejects.one_query == pytest.approx(1 / 4)  # one of the two composites
    assert found.sold["phone"].auroc.value == 1.0
    assert found.sold["composites"].accepted.value == 0.0
    assert found.no_garment["animals"].photos == 3


def test_garments_that_nobody_sells_are_in_neither_mean() -> None:
    photos = _photos("sold", "phone", [0.9] * 5) + _photos("no garment", "text", [0.1] * 5)
    with_hats = no_match_figures(photos + _photos("not sold", "hat", [0.95, 0.05]))
    assert with_hats.auroc == no_match_figures(photos).auroc
    assert with_hats.not_sold["hat"].auroc.value == pytest.approx(0.5)
    assert with_hats.not_sold["hat"].accepted.value == pytest.approx(0.5)


def test_an_interval_holds_its_figure_and_knows_the_threshold_is_drawn_too() -> None:
    sold = [n / 40 for n in range(10, 40)]
    found = no_match_figures(
        _photos("sold", "phone", sold) + _photos("no garment", "text", [n / 60 for n in range(40)])
    )
    low, high = found.false_rejects.low, found.false_rejects.high
    assert low is not None and high is not None and found.false_rejects.value is not None
    assert low < found.false_rejects.value < high

"""Separation: AUROC and thresholds against naive loops and worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lens.evaluation.separation import auroc, share_above, threshold

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=12)


def test_auroc_of_what_is_told_apart_and_of_what_is_not() -> None:
    low, high = np.array([0.1, 0.2]), np.array([0.8, 0.9])
    assert (auroc(high, low), auroc(low, high), auroc(low, low)) == (1.0, 0.0, 0.5)
    assert np.isnan(auroc(high, np.array([])))


@given(SCORES, SCORES)
def test_auroc_is_the_share_of_pairs_in_order(positives: list[int], negatives: list[int]) -> None:
    pairs = [(one > other) + (one == other) / 2 for one in positives for other in negatives]
    found = auroc(np.array(positives, float), np.array(negatives, float))
    assert found == pytest.approx(np.mean(pairs))


def test_a_threshold_lets_one_in_twenty_through() -> None:
    negatives = np.arange(100) / 100
    least = threshold(negatives, np.zeros(100, np.intp))
    assert least == pytest.approx(0.94)
    assert share_above(negatives, least) == pytest.approx(0.05)


def test_a_kind_of_negative_counts_as_one_however_many_it_has() -> None:
    many, few = np.linspace(0.0, 0.5, 900), np.linspace(0.0, 1.0, 10)
    kinds = np.array([0] * 900 + [1] * 10)
    negatives = np.concatenate([many, few])
    least = threshold(negatives, kinds)
    assert share_above(few, least) == pytest.approx(0.1) and share_above(many, least) == 0.0


@given(SCORES, SCORES)
def test_never_more_than_one_in_twenty_passes(one: list[int], other: list[int]) -> None:
    scores = np.array(one + other, float)
    least = threshold(scores, np.array([0] * len(one) + [1] * len(other)))
    of = [share_above(np.array(each, float), least) for each in (one, other)]
    assert np.mean(of) <= 0.05 + 1e-6


def test_without_negatives_nothing_passes() -> None:
    assert threshold(np.array([]), np.array([], np.intp)) == float("inf")
    assert np.isnan(share_above(np.array([]), 0.0))

"""Intervals: figures by hand, and intervals against what theory says."""

from __future__ import annotations

import pytest

from lens.evaluation.intervals import Figure, draws, figure, macro_figure, mean_figure


def test_an_interval_of_a_share_is_about_two_standard_errors_wide() -> None:
    right = [1.0] * 60 + [0.0] * 140
    found = mean_figure(right, range(200))
    error = (0.3 * 0.7 / 200) ** 0.5
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - 1.96 * error, abs=0.01)
    assert found.high == pytest.approx(0.3 + 1.96 * error, abs=0.01)
    assert (found.queries, found.one_query) == (200, 1 / 200)


def test_photos_of_one_sender_are_no_independent_witnesses() -> None:
    right = [float(n % 10 < 5) for n in range(200)]
    apart = mean_figure(right, range(200))
    together = mean_figure(right, [n % 10 for n in range(200)])  # ten senders, each all or nothing
    assert _width(together) > 3 * _width(apart)


def test_the_same_queries_give_the_same_interval() -> None:
    right = [float(n % 3 == 0) for n in range(50)]
    assert mean_figure(right, range(50)) == mean_figure(right, range(50))


def test_every_class_counts_alike_in_a_macro_figure() -> None:
    found = macro_figure([1.0] * 9 + [0.0], ["shirt"] * 9 + ["dress"], range(10))
    assert found.value == pytest.approx(0.5)
    assert found.one_query == pytest.approx(1 / 2)  # the one dress


def test_strata_keep_their_sizes() -> None:
    strata = ["few"] * 3 + ["many"] * 40
    assert {int((chosen < 3).sum()) for chosen in draws(range(43), strata)} == {3}
    assert {len(chosen) for chosen in draws(range(43), strata)} == {43}


def test_of_no_query_nothing_is_said() -> None:
    nothing = Figure(None, None, None, 0, None)
    assert mean_figure([], []) == macro_figure([], [], []) == nothing


def test_a_statistic_that_is_undefined_is_left_out() -> None:
    assert figure(lambda _: float("nan"), range(4)).value is None


def _width(of: Figure) -> float:
    assert of.low is not None and of.high is not None
    return of.high - of.low

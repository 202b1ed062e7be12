"""Metrics against definitions written out by hand and by naive loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lens.evaluation.metrics import map_at_r, recall_at_k


def test_recall_counts_queries_with_a_right_result_among_the_first_k() -> None:
    relevant = [np.array([False, True, False]), np.array([False, False, True]), np.array([True])]
    assert [recall_at_k(relevant, k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_map_at_r_matches_a_worked_example() -> None:
    # R = 3, right at ranks 1 and 3: (1/1 + 2/3) / 3
    assert map_at_r([np.array([True, False, True, True])], [3]) == pytest.approx((1 + 2 / 3) / 3)


def test_an_item_that_the_gallery_lacks_counts_as_a_miss() -> None:
    relevant = [np.array([False, False]), np.array([True, False])]
    assert recall_at_k(relevant, 2) == 0.5
    assert map_at_r(relevant, [0, 1]) == 0.5


def test_without_queries_every_figure_is_zero() -> None:
    assert recall_at_k([], 1) == map_at_r([], []) == 0.0


@given(st.lists(st.tuples(st.lists(st.booleans(), min_size=8, max_size=8), st.integers(1, 8))))
def test_map_at_r_equals_a_naive_loop(queries: list[tuple[list[bool], int]]) -> None:
    expected = []
    for row, total in queries:
        value = 0.0
        for i in range(1, total + 1):
            if row[i - 1]:
                value += sum(row[:i]) / i
        expected.append(value / total)
    result = map_at_r([np.array(row) for row, _ in queries], [total for _, total in queries])
    assert result == pytest.approx(np.mean(expected) if expected else 0.0)

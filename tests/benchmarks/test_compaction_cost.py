"""What a load costs, by the bounds of a tail: in step with its rows, and what compaction really
does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.compaction_cost import measure, plan
from tests.benchmarks.synthetic_gallery import Photos

MILLION = 1_000_000


def test_to_load_ten_times_the_rows_writes_about_ten_times_as_many() -> None:
    one, ten = plan(MILLION, 1_000), plan(10 * MILLION, 1_000)
    assert ten.rows_written < 20 * one.rows_written
    assert ten.rows_written < 17 * ten.rows
    assert (one.snapshots, ten.snapshots) == (31, 69)


def test_without_the_bounds_of_a_load_it_writes_about_a_hundred_times_as_many() -> None:
    one, ten = (plan(rows, 1_000, loading=False) for rows in (MILLION, 10 * MILLION))
    assert ten.rows_written > 90 * one.rows_written
    assert (one.snapshots, ten.snapshots) == (98, 627)


@pytest.mark.parametrize("segment", [300, 500])
def test_compaction_folds_as_planned(segment: int) -> None:
    chance = np.random.default_rng(3)
    vectors = chance.standard_normal((60, 8), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = np.array([b"a", b"b"])[np.arange(60) % 2]
    last = measure(Photos(vectors, np.arange(60) // 3, names), 4_000, segment)[-1]
    planned = plan(4_000, segment)
    assert last.snapshots == planned.snapshots > 3
    assert last.rows_written == planned.rows_written
    assert last.bytes_written > 100 * last.rows_written

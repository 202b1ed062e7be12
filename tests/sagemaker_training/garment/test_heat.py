"""Heat: each cell against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from training.garment.heat import heat_of
from training.garment.labels import Box

CELLS, KINDS = 8, 3
Placed = list[tuple[int, Box]]


def _warmth(box: Box, row: int, column: int) -> float:
    """How hot a cell is for one box; the cell of its center is as hot as can be."""
    x0, y0, x1, y1 = box
    center = ((x0 + x1) / 2, (y0 + y1) / 2)
    if (int(center[0] * CELLS), int(center[1] * CELLS)) == (column, row):
        return 1.0
    wide, high = max(0.14 * (x1 - x0), 0.6 / CELLS), max(0.14 * (y1 - y0), 0.6 / CELLS)
    across = ((column + 0.5) / CELLS - center[0]) / wide
    down = ((row + 0.5) / CELLS - center[1]) / high
    return float(2 ** -(across**2 + down**2))


def _inside(box: Box, row: int, column: int) -> bool:
    x, y = (column + 0.5) / CELLS, (row + 0.5) / CELLS
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _drawn(seed: int) -> tuple[Placed, Placed]:
    random = np.random.default_rng(seed)

    def boxes(count: int) -> Placed:
        found: Placed = []
        for _ in range(count):
            (x0, x1), (y0, y1) = np.sort(random.uniform(0, 1, (2, 2)), axis=1).tolist()
            found.append((int(random.integers(KINDS)), (x0, y0, x1, y1)))
        return found

    return boxes(3), boxes(2)


@pytest.mark.parametrize("seed", range(5))
def test_heat_weight_and_boxes_are_those_of_a_loop_over_cells(seed: int) -> None:
    places, ignored = _drawn(seed)
    heat, weight, boxes, hottest = heat_of(places, ignored, KINDS, CELLS)
    for row in range(CELLS):
        for column in range(CELLS):
            warm = [(_warmth(box, row, column), kind, box) for kind, box in places]
            for kind in range(KINDS):
                own = max((w for w, k, _ in warm if k == kind), default=0.0)
                assert float(heat[kind, row, column]) == pytest.approx(own, abs=1e-5)
                doubtful = any(k == kind and _inside(box, row, column) for k, box in ignored)
                known = own > 0.1 or not doubtful
                assert float(weight[kind, row, column]) == known
            best = max(warm, key=lambda each: each[0])
            assert float(hottest[row, column]) == pytest.approx(best[0], abs=1e-5)
            assert boxes[row, column].tolist() == pytest.approx(list(best[2]), abs=1e-6)


def test_a_view_without_garments_is_cold_and_counts() -> None:
    heat, weight, _, hottest = heat_of([], [], KINDS, CELLS)
    assert heat.max() == hottest.max() == 0 and torch.equal(weight, torch.ones_like(heat))


def test_a_garment_at_the_very_edge_has_a_hot_cell() -> None:
    heat, *_ = heat_of([(1, (1.0, 1.0, 1.0, 1.0))], [], KINDS, CELLS)
    assert heat[1, CELLS - 1, CELLS - 1] == 1

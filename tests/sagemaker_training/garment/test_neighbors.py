"""Neighbors: a view learns to be like whom its photo was like, within its source."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch
from torch.nn import functional

from tests.sagemaker_training.garment.drawn import labeled, material
from tests.sagemaker_training.garment.small import small_network
from training.garment.neighbors import NeighborLoss, rows_of_photos, seen_before
from training.network.lite0 import load_lite0

SIZE = 64


def _unit(seed: int, *shape: int) -> torch.Tensor:
    rows = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return functional.normalize(rows, dim=1)


def test_the_loss_is_the_cross_entropy_of_two_rankings_of_the_same_source() -> None:
    then_rows, kept, rows = _unit(0, 7, 9), _unit(1, 7, 4), _unit(2, 3, 4)
    groups, photos = torch.tensor([0, 0, 0, 1, 1, 1, 1]), torch.tensor([2, 0, 5])
    apart = groups[:, None] != groups
    before = (then_rows @ then_rows.T).masked_fill(apart, -torch.inf)
    loss = NeighborLoss(before, 4)
    loss.rows.copy_(kept)
    terms = []
    for row, photo in zip(rows, photos.tolist(), strict=True):
        among = [n for n in range(7) if groups[n] == groups[photo]]
        then = [math.exp(10 * float(before[photo, n])) for n in among]
        now = [math.exp(10 * float(row @ kept[n])) for n in among]
        for a, b in zip(then, now, strict=True):
            terms.append(-a / sum(then) * math.log(b / sum(now)))
    assert float(loss(rows, photos)) == pytest.approx(sum(terms) / 3, rel=1e-4)
    assert torch.equal(loss.rows[photos], rows)  # what the next step is compared with
    assert torch.equal(loss.rows[[1, 3, 4, 6]], kept[[1, 3, 4, 6]])


def test_a_network_that_learns_it_ranks_as_before() -> None:
    torch.manual_seed(0)
    before = _unit(0, 40, 12)
    loss = NeighborLoss(before @ before.T, 8)
    student = torch.nn.Linear(12, 8)
    optimizer = torch.optim.Adam(student.parameters(), 0.02)
    photos = torch.arange(40)

    def agreement() -> float:
        with torch.no_grad():
            rows = functional.normalize(student(before), dim=1)
        now, then = rows @ rows.T - 2 * torch.eye(40), before @ before.T - 2 * torch.eye(40)
        return float((now.argmax(dim=1) == then.argmax(dim=1)).float().mean())

    first = agreement()
    for _ in range(300):
        value = loss(functional.normalize(student(before), dim=1), photos)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert agreement() > max(0.7, first)


def test_what_was_seen_before_has_no_source_s_mean_and_comes_from_under_the_mask() -> None:
    network, source = small_network(), material()
    network.trunk = load_lite0()
    before = seen_before(network, source, SIZE)
    shapes, colors = before.shapes, before.colors
    assert shapes.shape == colors.shape == (10, 10)
    for each in (shapes, colors):
        assert torch.allclose(each.diagonal(), torch.ones(10), atol=1e-5)
        assert torch.allclose(each, each.T, atol=1e-5)
    # The two photos of an item differ in the box's width alone.
    assert min(float(colors[2 * n, 2 * n + 1]) for n in range(3)) > 0.9
    assert float(colors[0, 2]) < 0.6
    assert shapes[:6, 6:].isinf().all() and not shapes[:6, :6].isinf().any()
    assert float(shapes[:6, :6].mean()) == pytest.approx(0, abs=0.2)
    bare = replace(source, shoppers=tuple(replace(p, mask=None) for p in source.shoppers))
    assert not torch.allclose(seen_before(network, bare, SIZE).colors[6:], before.colors[6:])


def test_near_colors_are_more_alike_than_far_ones_though_they_share_no_bin() -> None:
    network, source = small_network(), material()
    shades = [(200, 20, 20), (150, 20, 20), (20, 20, 200)]
    shoppers = tuple(labeled(shade) for shade in shades)
    colors = seen_before(network, replace(source, shoppers=shoppers), SIZE).colors[6:, 6:]
    assert 1 > float(colors[0, 1]) > float(colors[0, 2]) + 0.1


def test_a_photo_s_rows_are_what_the_network_says_of_its_cut_out() -> None:
    network, source = small_network(), material()
    shapes, colors = rows_of_photos(network, source, SIZE)
    assert shapes.shape == (10, 6) and colors.shape == (10, 4)
    assert torch.allclose(shapes.norm(dim=1), torch.ones(10), atol=1e-5)

"""Objectives: each loss against a plain loop, and their sum."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch
from torch.nn import functional

from tests.sagemaker_training.garment.drawn import material
from tests.sagemaker_training.garment.small import small_network, small_plan
from training.garment.batches import Batch, Batches, as_batch
from training.garment.neighbors import Before
from training.garment.network import GarmentNetwork
from training.garment.objectives import (
    AcrossLoss,
    KindLoss,
    Objectives,
    box_loss,
    center_loss,
    garment_loss,
)
from training.garment.plan import Phase


def _random(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize("seed", range(3))
def test_the_center_loss_is_the_focal_loss_of_a_loop(seed: int) -> None:
    shape = (2, 3, 4, 4)
    logits, heat = 6 * _random(seed, *shape) - 3, 0.98 * _random(seed + 10, *shape)
    heat[0, 1, 2, 2] = heat[1, 0, 0, 3] = heat[1, 2, 3, 3] = 1
    weight = (_random(seed + 20, *shape) > 0.3).float()
    weight[0, 1, 2, 2] = weight[1, 0, 0, 3] = 1
    weight[1, 2, 3, 3] = 0  # a center that does not count
    total = 0.0
    for logit, hot, counts in zip(
        logits.flatten().tolist(), heat.flatten().tolist(), weight.flatten().tolist(), strict=True
    ):
        p = _sigmoid(logit)
        if hot == 1:
            total -= counts * (1 - p) ** 2 * math.log(p)
        else:
            total -= counts * (1 - hot) ** 4 * p**2 * math.log(1 - p)
    assert float(center_loss(logits, heat, weight)) == pytest.approx(total / 2, rel=1e-4)


def test_a_batch_without_garments_has_a_center_loss_and_no_box_loss() -> None:
    logits, heat = _random(0, 1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    assert float(center_loss(logits, heat, torch.ones_like(heat))) > 0
    boxes = _random(1, 1, 4, 4, 4).requires_grad_()
    loss = box_loss(boxes, torch.zeros(1, 4, 4, 4), torch.zeros(1, 4, 4))
    loss.backward()
    assert float(loss.detach()) == 0 and boxes.grad is not None and not boxes.grad.any()


def _boxes(seed: int, count: int) -> torch.Tensor:
    corners = _random(seed, count, 2, 2).sort(dim=1).values
    return corners.flatten(1)  # x0, y0, x1, y1


def _giou(a: list[float], b: list[float]) -> float:
    def area(box: list[float]) -> float:
        return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])

    both = area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])
    union = area(a) + area(b) - both
    hull = area([min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])])
    return both / union - (hull - union) / hull


@pytest.mark.parametrize("seed", range(3))
def test_the_box_loss_is_the_giou_of_hot_cells_alone(seed: int) -> None:
    found, wanted, heat = _boxes(seed, 18), _boxes(seed + 50, 18), _random(seed + 90, 18)
    hot = [i for i in range(18) if heat[i] >= 0.5]
    terms = [float(heat[i]) * (1 - _giou(found[i].tolist(), wanted[i].tolist())) for i in hot]
    expected = sum(terms) / sum(float(heat[i]) for i in hot)
    shape = (2, 3, 3)
    loss = box_loss(found.reshape(*shape, 4), wanted.reshape(*shape, 4), heat.reshape(shape))
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_the_garment_loss_leaves_out_what_is_not_known() -> None:
    logits, share = 4 * _random(0, 2, 1, 4, 4) - 2, _random(1, 2, 1, 4, 4)
    share[0, 0, :2] = -1
    terms = [
        -(s * math.log(_sigmoid(v)) + (1 - s) * math.log(1 - _sigmoid(v)))
        for v, s in zip(logits.flatten().tolist(), share.flatten().tolist(), strict=True)
        if s >= 0
    ]
    assert len(terms) == 24
    assert float(garment_loss(logits, share)) == pytest.approx(sum(terms) / 24, rel=1e-4)
    assert float(garment_loss(logits, torch.full_like(share, -1))) == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_kind_loss_is_how_unlikely_the_whole_set_is(seed: int) -> None:
    torch.manual_seed(seed)
    loss = KindLoss(5, 8)
    rows = functional.normalize(torch.randn(6, 8), dim=1)
    admissible = torch.rand(6, 5) > 0.6
    admissible[0], admissible[1, 2] = False, True  # nothing is known of the first
    centers = functional.normalize(loss.centers.detach(), dim=1)
    terms = []
    for row, allowed in zip(rows, admissible, strict=True):
        if allowed.any():
            chances = [math.exp(12 * float(row @ center)) for center in centers]
            inside = sum(c for c, a in zip(chances, allowed.tolist(), strict=True) if a)
            terms.append(-math.log(inside / sum(chances)))
    with torch.no_grad():
        assert float(loss(rows, admissible)) == pytest.approx(sum(terms) / len(terms), rel=1e-4)
        assert float(loss(rows, torch.ones_like(admissible))) == pytest.approx(0, abs=1e-5)
        assert float(loss(rows, torch.zeros_like(admissible))) == 0


def test_the_loss_across_is_how_a_search_among_the_last_batches_would_rank() -> None:
    torch.manual_seed(0)
    loss = AcrossLoss(4, 8, memory=5)
    gallery: list[tuple[torch.Tensor, torch.Tensor]] = []  # the newest first
    for _ in range(3):
        shoppers, catalog = (functional.normalize(torch.randn(n, 8), dim=1) for n in (8, 4))
        shopper_kinds, catalog_kinds = torch.rand(8, 4) > 0.7, torch.rand(4, 4) > 0.7
        catalog_kinds[0] = False  # of which nothing is known
        shopper_kinds[0] = False
        known = [(row, of) for row, of in zip(catalog, catalog_kinds, strict=True) if of.any()]
        gallery = known + gallery[:5]
        terms = []
        for row, kinds in zip(shoppers, shopper_kinds, strict=True):
            right = [bool((kinds & of).any()) for _, of in gallery]
            if any(right) and not all(right):
                chances = [math.exp(16 * float(row @ other)) for other, _ in gallery]
                inside = sum(c for c, r in zip(chances, right, strict=True) if r)
                terms.append(-math.log(inside / sum(chances)))
        found = float(loss(shoppers, shopper_kinds, catalog, catalog_kinds))
        assert terms and found == pytest.approx(sum(terms) / len(terms), rel=1e-4)
    assert int(loss.filled) == 5 and torch.equal(
        loss.rows, torch.stack([r for r, _ in gallery[:5]])
    )
    nothing = torch.zeros(8, 4, dtype=torch.bool)
    assert float(loss(shoppers, nothing, catalog, catalog_kinds)) == 0


@pytest.fixture(scope="module")
def batch() -> Batch:
    return as_batch(Batches(material(), small_plan().phases[1], 0, 1).arrays(0))


def _objectives(network: GarmentNetwork, phase: Phase) -> Objectives:
    source = material()
    rows = [_unit_rows(n, 10, 20) for n in (1, 2)]
    before = Before(*(each @ each.T for each in rows))
    objectives = Objectives(network, phase, source, before)
    objectives.neighbors.rows.copy_(_unit_rows(3, 10, 6))
    objectives.tints.rows.copy_(_unit_rows(4, 10, 4))
    return objectives


def _unit_rows(seed: int, *shape: int) -> torch.Tensor:
    return functional.normalize(_random(seed, *shape) - 0.5, dim=1)


_AS_THEY_ARE = torch.arange(3).repeat(8, 1)


def test_each_objective_counts_by_its_weight_and_all_of_them_train_the_network(
    batch: Batch,
) -> None:
    network, phase = small_network(), small_plan().phases[1]
    torch.manual_seed(0)
    once = _objectives(network, phase)(network, batch, _AS_THEY_ARE)
    torch.manual_seed(0)
    changed = replace(phase, kind_weight=2 * phase.kind_weight, place_weight=0, tint_weight=0)
    twice = _objectives(network, changed)(network, batch, _AS_THEY_ARE)
    ratios = {name: float(twice[name].detach() / once[name].detach()) for name in once}
    same = dict.fromkeys(("items", "across", "colors", "neighbors", "boxes", "garment"), 1)
    expected = {**same, "kinds": 2, "tints": 0, "places": 0}
    assert ratios == pytest.approx(expected, abs=1e-4)
    torch.stack([*once.values()]).sum().backward()
    untrained = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert untrained == []


def test_what_is_garment_is_learned_from_its_own_loss_alone(batch: Batch) -> None:
    network, phase = small_network(), small_plan().phases[1]
    parts = _objectives(network, phase)(network, batch, _AS_THEY_ARE)
    (parts["items"] + parts["kinds"] + parts["colors"]).backward()
    assert network.garment.weight.grad is None


def test_only_the_catalog_s_crops_are_told_apart_by_item(batch: Batch) -> None:
    network, phase = small_network(), small_plan().phases[1]
    objectives = _objectives(network, phase)
    first = objectives(network, batch, _AS_THEY_ARE)
    pixels = batch.pixels.clone()
    of_shoppers = slice(int((batch.items >= 0).sum()), batch.crops)
    pixels[of_shoppers] = pixels[of_shoppers].flip(1)
    second = objectives(network, replace(batch, pixels=pixels), _AS_THEY_ARE)
    assert torch.equal(first["items"], second["items"])
    assert torch.equal(first["colors"], second["colors"])
    assert not torch.equal(first["kinds"], second["kinds"])


def test_the_trunk_sees_channels_in_another_order_and_the_colors_do_not(batch: Batch) -> None:
    network, phase = small_network(), small_plan().phases[1]
    seen: list[torch.Tensor] = []
    network.trunk.stem.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    counted: list[torch.Tensor] = []
    network.colors.register_forward_pre_hook(lambda _, given: counted.append(given[0]))
    orders = _AS_THEY_ARE.clone()
    orders[0] = torch.tensor([2, 0, 1])
    _objectives(network, phase)(network, batch, orders)
    assert torch.equal(seen[0][0], batch.pixels[0][[2, 0, 1]])
    assert torch.equal(seen[0][1:], batch.pixels[1:])
    assert torch.equal(counted[0], batch.pixels[: batch.crops])
    assert np.isfinite(batch.pixels.numpy()).all()

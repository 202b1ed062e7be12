"""The trainer: stopped and resumed at any step it gives the network of one that was not.

Covers: trainer, start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.errors import LensError, UsageError
from tests.sagemaker_training.garment.drawn import material
from tests.sagemaker_training.garment.small import small_network, small_plan, small_trainer
from training.garment.batches import Batches, as_batch
from training.garment.neighbors import seen_before
from training.garment.objectives import Objectives
from training.garment.plan import Plan
from training.garment.start import start_heads, start_proxies, start_rows
from training.garment.trainer import _orders, _pace
from training.garment.views import Views
from training.loop.checkpoints import load_newest
from training.loop.trainer import InterruptedRunError
from training.network.lite0 import load_lite0


def _weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _stop_after(steps: int) -> Callable[[], bool]:
    asked = iter([False] * (steps - 1) + [True])
    return lambda: next(asked)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The weights of a run that nobody stopped."""
    torch.set_num_threads(1)
    return _weights(small_trainer(tmp_path_factory.mktemp("whole")).fit())


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(2,), (1, 1, 1)])
def test_a_run_that_was_stopped_gives_the_same_network_bit_for_bit(
    whole: dict[str, torch.Tensor], tmp_path: Path, stops: tuple[int, ...]
) -> None:
    for steps in stops:
        with pytest.raises(InterruptedRunError, match="the same command resumes it"):
            small_trainer(tmp_path, stopping=_stop_after(steps)).fit()
    found = _weights(small_trainer(tmp_path).fit())
    assert found.keys() == whole.keys()
    assert [name for name in whole if not torch.equal(found[name], whole[name])] == []


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(
    whole: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    asked = iter([False, False])

    def kill_at_third() -> bool:
        try:
            return next(asked)
        except StopIteration:
            raise Killed from None

    with pytest.raises(Killed):
        small_trainer(tmp_path, stopping=kill_at_third, save_every=2).fit()
    assert [file.name for file in tmp_path.iterdir()] == ["epoch_0_step_2.pth"]
    resumed = _weights(small_trainer(tmp_path).fit())
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    # Between the phases too, and when it is complete.
    (tmp_path / "epoch_2.pth").unlink()
    again = _weights(small_trainer(tmp_path).fit())
    assert all(torch.equal(again[name], whole[name]) for name in whole)
    done = small_trainer(tmp_path)
    assert all(torch.equal(_weights(done.fit())[name], whole[name]) for name in whole)


@pytest.mark.slow
def test_branches_start_alike_and_the_network_is_their_mean(tmp_path: Path) -> None:
    first, last = small_plan().phases
    plan = Plan("branched", (first, replace(last, neighbor_weight=0), last), branches=2)
    small_trainer(tmp_path / "first", Plan("alone", (first,))).fit()
    start = _weights(small_trainer(tmp_path / "first", Plan("alone", (first,))).fit())
    found = _weights(small_trainer(tmp_path / "whole", plan).fit())
    state = load_newest(tmp_path / "whole")
    assert state is not None
    assert all(torch.equal(state["fork"][name], start[name]) for name in start)
    one, other = state["branches"]
    assert not torch.equal(one["shape.weight"], other["shape.weight"])
    for name in ("shape.weight", "trunk.top.weight", "scores.bias"):
        assert torch.allclose(found[name], (one[name] + other[name]) / 2, atol=1e-7)
    # Stopped in the first step of each branch, it gives the same.
    for steps in (5, 2):
        with pytest.raises(InterruptedRunError):
            small_trainer(tmp_path / "parts", plan, stopping=_stop_after(steps - 1)).fit()
    resumed = _weights(small_trainer(tmp_path / "parts", plan).fit())
    assert all(torch.equal(resumed[name], found[name]) for name in found)


@pytest.mark.slow
def test_training_changes_all_but_the_frozen_blocks_and_another_seed_gives_another_network(
    whole: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    start = _weights(small_network())
    frozen = ("trunk.stem.", *(f"trunk.stages.{i}." for i in range(5)))
    for name, weight in whole.items():
        assert torch.equal(weight, start[name]) == name.startswith(frozen), name
    other = _weights(small_trainer(tmp_path, seed=1).fit())
    assert not torch.equal(other["shape.weight"], whole["shape.weight"])


@pytest.mark.slow
def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError):
        small_trainer(tmp_path, stopping=lambda: True).fit()
    with pytest.raises(UsageError, match="holds a run with another plan: name another --output"):
        small_trainer(tmp_path, small_plan(lr=1e-4))
    with pytest.raises(UsageError, match="another seed"):
        small_trainer(tmp_path, seed=1)


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    plan = small_plan(trunk_lr=1e30, lr=1e30, frozen=0)
    plan = Plan("wild", (replace(plan.phases[1], steps=9),))
    with pytest.raises(LensError, match=r"the loss is (nan|inf) in step \d+: lower the lr"):
        small_trainer(tmp_path, plan).fit()


def test_the_pace_goes_up_in_a_line_and_down_in_a_cosine() -> None:
    phase = replace(small_plan().phases[0], steps=110, warmup=10)
    paces = [_pace(step, phase) for step in range(110)]
    assert paces[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert paces[60] == pytest.approx(0.5 * 0.98 + 0.02)
    assert paces == sorted(paces[:10]) + sorted(paces[10:], reverse=True)
    assert 0.02 < paces[-1] < 0.021


def test_only_crops_are_recolored_and_a_share_of_them() -> None:
    orders = _orders(3000, 2400, 0.6, seed=0)
    assert torch.equal(orders.sort(dim=1).values, torch.arange(3).expand(3000, 3))
    changed = (orders != torch.arange(3)).any(dim=1)
    assert not changed[2400:].any()
    # One order in six is the one that they have.
    assert float(changed[:2400].float().mean()) == pytest.approx(0.6 * 5 / 6, abs=0.03)
    assert torch.equal(orders, _orders(3000, 2400, 0.6, seed=0))


def test_proxies_start_at_the_centers_of_their_own_photos() -> None:
    network, phase, source = small_network(), small_plan().phases[1], material()
    network.trunk = load_lite0()
    torch.manual_seed(0)
    before = seen_before(network, source, phase.size)
    objectives = Objectives(network, phase, source, before)
    kinds = objectives.kinds.centers.clone()
    start_rows(network, objectives, source, phase.size)
    start_proxies(objectives, source.catalog)
    items, colors = objectives.items.proxies, objectives.colors.proxies
    assert items.shape == (3, 6) and colors.shape == (6, 4)
    assert torch.allclose(items.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(colors.norm(dim=1), torch.ones(6), atol=1e-5)
    views = Views([source.catalog[0].image], phase.size, 0)
    shapes: dict[int, list[torch.Tensor]] = {0: [], 1: [], 2: []}
    for photo in source.catalog:
        image = views.cut_out(photo).image
        pixels = torch.from_numpy((image.transpose(2, 0, 1)[None].astype(np.float32) - 127) / 128)
        with torch.no_grad():
            shapes[photo.item].append(network(pixels)[0][0, :6])
    for item, rows in shapes.items():
        center = torch.stack(rows).sum(dim=0)
        assert torch.allclose(items[item], center / center.norm(), atol=1e-4)
    assert torch.equal(objectives.kinds.centers, kinds)


def test_the_heads_start_as_projections_of_the_crops_own_features() -> None:
    network = small_network()
    network.trunk = load_lite0()
    batches = Batches(material(), small_plan().phases[0], 0, 0)
    given = [as_batch(batches.arrays(step)) for step in range(14)]
    start_heads(network, iter(given))
    # As many batches were taken as are needed for nine crops a dimension.
    used = given[: -(-9 * 6 // given[0].crops)]
    with torch.no_grad():
        features = [
            network.features(
                b.pixels[: b.crops],
                network.maps(b.pixels[: b.crops])[2],
                b.garment[: b.crops].clamp(min=0),
            )
            for b in used
        ]
        shape = network.shape(torch.cat([each for each, _ in features])).numpy()
    assert np.abs(shape.mean(axis=0)).max() < 1e-4  # centered
    correlations = np.corrcoef(shape.T) - np.eye(6)
    assert np.abs(correlations).max() < 0.02  # and each dimension tells something of its own
    deviations = shape.std(axis=0)
    assert (np.diff(deviations) <= 1e-6).all() and deviations[-1] > 0

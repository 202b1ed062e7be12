"""The trainer and its checkpoints: resumed runs, learning rates, the best epoch.

Covers: trainer, optimizers, seeds, checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.errors import UsageError
from lens.evaluation.score import KS
from tests.sagemaker_training.small_models import (
    small_recipe,
    small_trainer,
)
from training.loop.scoring import ProtocolScores
from training.loop.trainer import InterruptedRunError, Trainer
from training.loop.validation import Validate, Validation
from training.network.embedding_model import LITE0

pytestmark = pytest.mark.slow


def _states(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All that a step changes, as tensors by name."""
    found = {}

    def collect(name: str, value: Any) -> None:
        if isinstance(value, torch.Tensor):
            found[name] = value
        elif isinstance(value, dict):
            for key, inner in value.items():
                collect(f"{name}.{key}", inner)

    collect("model", trainer.model.state_dict())
    collect("objective", trainer.objectives.state_dict())
    collect("optimizer", trainer.optimizer.state_dict())
    return found


def _found(recall: float, loss: float | None = None) -> Validation:
    figures = dict.fromkeys(map(str, KS), recall)
    return Validation({"held-out": ProtocolScores("held-out", 4, figures, recall, {}, ())}, loss)


def _validation_of(recalls: list[float], losses: list[float] | None = None) -> Validate:
    """Give one figure of each list after each epoch."""
    return lambda _: _found(recalls.pop(0), losses.pop(0) if losses else None)


def _after(steps: int) -> Callable[[], bool]:
    """Asks to stop once, after so many steps of this sitting."""
    left = [steps]

    def stopping() -> bool:
        left[0] -= 1
        return left[0] == 0

    return stopping


RECIPES = {
    "proxies, cosine": {"loss": "proxy-anchor", "margin": 0.1},
    "memory, cosine": {"miner": "batch-hard", "margin": 0.5, "memory": 16},
    "half precision, plateau": {
        "miner": "semi-hard",
        "margin": 0.9,
        "precision": "fp16",
        "schedule": "plateau",
        "optimizer": "adam",
        "watched": "loss",
    },
    "bf16, lora": {"precision": "bf16", "tuning": "lora", "margin": 0.5},
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_interrupted_and_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    tmp_path: Path, backbone: str, name: str, steps: int
) -> None:
    recipe = small_recipe(backbone, **RECIPES[name])

    def validate(objectives: torch.nn.ModuleDict) -> Validation:
        return _found(0.5, 0.5)

    whole = small_trainer(recipe, tmp_path / "whole", validate=validate)
    whole.fit()
    first = small_trainer(recipe, tmp_path / "parts", validate=validate, stopping=_after(steps))
    with pytest.raises(InterruptedRunError, match="the same command resumes it"):
        first.fit()
    torch.rand(99)  # whatever else happened to the generator meanwhile
    second = small_trainer(recipe, tmp_path / "parts", validate=validate)
    second.fit()
    expected, found = _states(whole), _states(second)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert [entry["loss"] for entry in whole.history] == [e["loss"] for e in second.history]


def test_another_seed_is_another_run(tmp_path: Path, backbone: str) -> None:
    losses = []
    for seed in (0, 1):
        trainer = small_trainer(small_recipe(backbone), tmp_path / str(seed), seed=seed)
        trainer.fit()
        losses.append([entry["loss"] for entry in trainer.history])
    assert losses[0] != losses[1]


def test_a_convolutional_network_learns_its_training_photos(tmp_path: Path) -> None:
    recipe = small_recipe(
        LITE0,
        size=32,
        color_dim=4,
        loss="proxy-anchor",
        margin=0.1,
        lr=1e-4,
        head_lr=1e-2,
        epochs=8,
        crop=0.9,
    )
    trainer = small_trainer(recipe, tmp_path)
    trainer.fit()
    losses = [entry["loss"] for entry in trainer.history]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("watched", "recalls", "losses"),
    [("recall_at_1", [0.2, 0.6, 0.4], [0.3, 0.2, 0.1]), ("loss", [0.2, 0.3, 0.4], [0.2, 0.1, 0.1])],
)
def test_the_best_epoch_by_the_watched_figure_is_what_remains(
    tmp_path: Path, backbone: str, watched: str, recalls: list[float], losses: list[float]
) -> None:
    recipe = small_recipe(backbone, watched=watched)
    kept: list[dict[str, torch.Tensor]] = []

    def validate(objectives: torch.nn.ModuleDict) -> Validation:
        kept.append({name: value.clone() for name, value in trainer.model.state_dict().items()})
        return _found(recalls[len(kept) - 1], losses[len(kept) - 1])

    trainer = small_trainer(recipe, tmp_path, validate=validate)
    trainer.fit()
    best = trainer.model.state_dict()
    assert all(torch.equal(best[name], value) for name, value in kept[1].items())
    assert not torch.equal(best["shape.head.weight"], kept[2]["shape.head.weight"])


def test_training_stops_when_validation_no_longer_improves(tmp_path: Path, backbone: str) -> None:
    recipe = small_recipe(backbone, epochs=9, patience=2)
    recalls = [0.1, 0.5, 0.4, 0.5, 0.9]
    trainer = small_trainer(recipe, tmp_path, validate=_validation_of(recalls))
    trainer.fit()
    assert [entry["epoch"] for entry in trainer.history] == [1, 2, 3, 4]


def test_training_that_watches_the_loss_stops_when_it_no_longer_falls(
    tmp_path: Path, backbone: str
) -> None:
    recipe = small_recipe(backbone, epochs=9, patience=2, watched="loss")
    losses = [0.9, 0.4, 0.5, 0.4, 0.1]
    trainer = small_trainer(
        recipe, tmp_path, validate=_validation_of([0.1, 0.2, 0.3, 0.4, 0.5], losses[:])
    )
    trainer.fit()
    assert [entry["validation_loss"] for entry in trainer.history] == losses[:4]


@pytest.mark.parametrize(
    ("watched", "recalls", "losses"),
    [
        ("recall_at_1", [0.5] * 7, [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
        ("loss", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]),
    ],
)
def test_a_plateau_of_the_watched_figure_divides_the_learning_rate_by_ten(
    tmp_path: Path, backbone: str, watched: str, recalls: list[float], losses: list[float]
) -> None:
    recipe = small_recipe(backbone, epochs=7, schedule="plateau", lr=1e-4, watched=watched)
    trainer = small_trainer(recipe, tmp_path, validate=_validation_of(recalls[:], losses[:]))
    trainer.fit()
    rates = [entry["lr"] for entry in trainer.history]
    assert rates == pytest.approx([1e-4] * 5 + [1e-5] * 2)


def test_a_cosine_warms_up_and_ends_at_nothing(tmp_path: Path, backbone: str) -> None:
    recipe = small_recipe(backbone, epochs=6, warmup=2, lr=1e-3)
    trainer = small_trainer(recipe, tmp_path)
    trainer.fit()
    rates = [entry["lr"] for entry in trainer.history]
    assert max(rates) == pytest.approx(1e-3) and rates.index(max(rates)) == 1
    assert rates[-1] == pytest.approx(0)


def test_two_checkpoints_and_the_best_model_are_kept(tmp_path: Path, backbone: str) -> None:
    folder = tmp_path / "checkpoints"
    validate = _validation_of([0.1, 0.2, 0.3])
    small_trainer(small_recipe(backbone), folder, validate=validate).fit()
    assert sorted(file.name for file in folder.iterdir()) == [
        "best_model.pth",
        "epoch_2.pth",
        "epoch_3.pth",
    ]


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path, backbone: str) -> None:
    whole = small_trainer(small_recipe(backbone), tmp_path)
    whole.fit()
    newest = tmp_path / "epoch_3.pth"
    newest.write_bytes(newest.read_bytes()[:1000])
    again = small_trainer(small_recipe(backbone), tmp_path)
    again.fit()
    assert torch.equal(whole.model.shape.head.weight, again.model.shape.head.weight)


def test_a_folder_with_another_run_is_left_alone(tmp_path: Path, backbone: str) -> None:
    small_trainer(small_recipe(backbone), tmp_path).fit()
    with pytest.raises(UsageError, match="a run with another recipe: name another --output"):
        small_trainer(small_recipe(backbone, lr=0.5), tmp_path)

"""A program for torchrun: training steps, their losses and gradients and the validation loss after
them, written by the first rank."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from tests.sagemaker_training.small_models import (
    SIZE,
    batch_of,
    small_dataset,
    small_photos,
    small_recipe,
    small_trainer,
)
from training.loop.distributed import Ranks, joined_ranks
from training.loop.validation import make_validation
from training.presets import Recipe

LOSSES = {
    "triplet": {"loss": "triplet", "miner": "batch-hard", "margin": 0.5, "watched": "loss"},
    "memory": {
        "loss": "triplet",
        "miner": "semi-hard",
        "margin": 0.9,
        "memory": 16,
        "watched": "loss",
    },
    "proxies": {"loss": "proxy-anchor", "margin": 0.1},
    "colors": {"loss": "proxy-anchor", "margin": 0.1, "color_dim": 3, "recolored": True},
}


def take_steps(recipe: Recipe, folder: Path, ranks: Ranks) -> dict[str, torch.Tensor]:
    """The loss and every gradient of two steps on one global batch, whatever the ranks."""
    trainer = small_trainer(recipe, folder, ranks=ranks)
    levels, labels = batch_of(small_photos(), recipe, ranks.share(recipe.batch))
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0, 1.0]]).repeat(len(labels), 1)
    plain = torch.arange(3).repeat(len(labels), 1)
    found = {}
    for step in range(2):
        found[f"loss {step}"] = torch.tensor(trainer.step(levels, labels, whole, plain))
        for part, module in (("model", trainer.model), ("loss", trainer.objectives)):
            for name, parameter in module.named_parameters():
                if parameter.grad is not None:
                    found[f"{part}.{name} {step}"] = parameter.grad.clone()
    decoded = small_photos(items=6, side=SIZE).decoded
    validate = make_validation(recipe, trainer.model, decoded, small_dataset(), ranks)
    assert validate is not None
    loss = validate(trainer.objectives).loss
    assert ranks.gather_objects(loss) == [loss] * ranks.world
    if loss is not None:
        found["validation loss"] = torch.tensor(loss)
    return found


if __name__ == "__main__":
    backbone, target = sys.argv[1:]
    with joined_ranks(os.environ, "cpu") as ranks:
        for name, changes in LOSSES.items():
            found = take_steps(small_recipe(backbone, **changes), Path(target) / name, ranks)
            if ranks.first:
                torch.save(found, f"{target}/{name}.pth")

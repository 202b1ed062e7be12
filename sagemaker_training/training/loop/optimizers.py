"""The optimizer and the learning-rate schedule that a recipe names."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from training.network.embedding_model import EmbeddingModel
from training.presets import Recipe


def make_optimizer(recipe: Recipe, model: EmbeddingModel, objectives: torch.nn.Module) -> Any:
    """Return the optimizer. Backbone, heads and proxies have learning rates of their own.

    Weight decay is for matrices and kernels only: not for biases, nor for proxies.
    """
    groups = []
    modules = [
        (model.shape.backbone, recipe.lr),
        (model.shape.head, recipe.head_lr),
        (objectives, recipe.proxy_lr),
    ]
    if model.color is not None:
        modules.append((model.color, recipe.color_lr))
    for module, lr in modules:
        trained = [p for p in module.parameters() if p.requires_grad]
        decays = recipe.weight_decay if module is not objectives else 0.0
        for parameters, decay in (
            ([p for p in trained if p.ndim > 1], decays),
            ([p for p in trained if p.ndim <= 1], 0.0),
        ):
            if parameters:
                groups.append({"params": parameters, "lr": lr, "weight_decay": decay})
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups)


def make_scheduler(recipe: Recipe, optimizer: Any, steps: int) -> Any:
    """Return the schedule; `steps` are those of an epoch.

    "cosine" changes the rates after every step, with a linear warmup; "plateau" divides them by 10
    when the validation's watched figure has not improved for more than 3 epochs.
    """
    if recipe.schedule == "plateau":
        mode: Literal["min", "max"] = "min" if recipe.watched == "loss" else "max"
        return ReduceLROnPlateau(optimizer, mode=mode, factor=0.1, patience=3)
    warm, last = recipe.warmup * steps, recipe.epochs * steps

    def share(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, last - warm)))

    return LambdaLR(optimizer, share)

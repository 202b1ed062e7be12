"""Losses, miners and samplers: pytorch-metric-learning's, chosen by their names in a recipe."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lens.errors import UsageError
from training.presets import PAIR_LOSSES, Recipe

# The library's samplers import this part of FAISS, which replaces the search that
# lens.gallery.index uses by one that knows no filter. They work without it.
sys.modules["faiss.contrib.torch_utils"] = None  # type: ignore[assignment]

from pytorch_metric_learning import losses, miners, samplers  # noqa: E402
from pytorch_metric_learning.utils import common_functions  # noqa: E402

# ArcFace's margin is in degrees in the library, in radians in the paper and in recipes.
_DEGREES = 180 / np.pi


class Objective(nn.Module):
    """The loss of a batch's embeddings under their labels: a scalar to be minimized."""

    def __init__(self, recipe: Recipe, classes: int, dim: int) -> None:
        super().__init__()
        if recipe.loss not in PAIR_LOSSES and (recipe.miner != "none" or recipe.memory):
            raise UsageError(
                f"{recipe.loss} compares with proxies: it takes no miner and no memory"
            )
        if recipe.memory and recipe.memory < recipe.batch:
            raise UsageError(f"memory is {recipe.memory}; it must hold a batch of {recipe.batch}")
        self._miner = _miner(recipe)
        self._loss = _loss(recipe, classes, dim)
        self._memory: Any = None
        if recipe.memory:
            self._memory = losses.CrossBatchMemory(
                self._loss, dim, memory_size=recipe.memory, miner=self._miner
            )

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if self._memory is not None:
            found: torch.Tensor = self._memory(embeddings, labels)
            return found
        return self.within(embeddings, labels)

    def within(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of these embeddings alone: without the memory, which stays as it is."""
        chosen = self._miner(embeddings, labels) if self._miner else None
        return self._loss(embeddings, labels, chosen)

    def start_from(self, centers: torch.Tensor) -> None:
        """Set the proxies, if the loss has any, to the centers of the items: (items, D)."""
        for proxies in self._loss.parameters():
            # Some losses of the library store their proxies as columns.
            values = centers if proxies.shape == centers.shape else centers.T
            proxies.data.copy_(values)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the memory's position, which the library leaves out of its state."""
        if self._memory is not None:
            return {"next": self._memory.queue_idx, "filled": self._memory.has_been_filled}
        return {}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        if self._memory is not None:
            self._memory.queue_idx = state["next"]
            self._memory.has_been_filled = state["filled"]


def plan_epoch(
    labels: NDArray[np.int64], recipe: Recipe, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Choose the photos of every step of an epoch, (steps, P * M): M photos of each of P items.

    The same seed and epoch give the same photos. Raises UsageError if there are fewer than P items.
    """
    items = len(np.unique(labels))
    if items < recipe.identities:
        raise UsageError(
            f"a batch needs photos of {recipe.identities} items, and there are {items}: "
            f"--identities {items}, or less"
        )
    steps = max(1, round(len(labels) / recipe.batch))
    # The sampler draws from the library's own generator only.
    common_functions.NUMPY_RANDOM = np.random.RandomState((seed * 1_000_003 + epoch) % 2**32)
    sampler = samplers.MPerClassSampler(
        labels, recipe.photos_each, recipe.batch, length_before_new_iter=steps * recipe.batch
    )
    return np.array(list(sampler), np.int64).reshape(steps, recipe.batch)


def proxy_anchor(classes: int, dim: int, margin: float) -> nn.Module:
    """Return Proxy-Anchor (Kim et al. 2020, arXiv 2003.13911) with one proxy for each class."""
    return losses.ProxyAnchorLoss(classes, dim, margin=margin, alpha=32)


def _loss(recipe: Recipe, classes: int, dim: int) -> Any:
    shape = {"num_classes": classes, "embedding_size": dim}
    match recipe.loss:
        case "triplet":
            return losses.TripletMarginLoss(margin=recipe.margin)
        case "multi-similarity":
            return losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5)
        case "proxy-anchor":
            return proxy_anchor(classes, dim, recipe.margin)
        case "cosface":
            return losses.CosFaceLoss(**shape, margin=recipe.margin, scale=64)
        case "arcface":
            return losses.ArcFaceLoss(**shape, margin=recipe.margin * _DEGREES, scale=64)


def _miner(recipe: Recipe) -> Any:
    match recipe.miner:
        case "none":
            return None
        case "semi-hard":
            return miners.TripletMarginMiner(margin=recipe.margin, type_of_triplets="semihard")
        case "batch-hard":
            return miners.BatchHardMiner()

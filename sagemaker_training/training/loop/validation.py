"""Validation: what is measured on the held-out photos after an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from lens.errors import UsageError
from training.data.dataset import Dataset, Photo
from training.data.decoded import DecodedPhotos
from training.loop.distributed import Ranks
from training.loop.scoring import ProtocolScores, Vectors, embed_splits, score_splits
from training.network.embedding_model import EmbeddingModel
from training.presets import PAIR_LOSSES, Recipe


@dataclass(frozen=True)
class Validation:
    """The figures of one epoch."""

    scores: dict[str, ProtocolScores]  # by protocol
    loss: float | None = None  # None: the recipe does not watch it


Validate = Callable[[torch.nn.ModuleDict], Validation]  # of the losses, by the model's part


def make_validation(
    recipe: Recipe,
    model: EmbeddingModel,
    decoded: DecodedPhotos,
    dataset: Dataset,
    ranks: Ranks,
) -> Validate | None:
    """Return what measures the model after an epoch; None if no photos are held out.

    Every rank gets the same figures. Raises UsageError if the recipe watches the loss, and the
    held-out photos make none.
    """
    if not dataset.validated:
        return None
    loss_of = _validation_loss(recipe, dataset, ranks) if recipe.watched == "loss" else None

    def validate(objectives: torch.nn.ModuleDict) -> Validation:
        vectors = embed_splits(model, decoded, dataset.validated, ranks)
        scores = score_splits(vectors, dataset.photos, dataset.validated)
        return Validation(scores, loss_of(objectives, vectors) if loss_of else None)

    return validate


def plan_validation(labels: NDArray[np.int64], recipe: Recipe) -> list[NDArray[np.int64]]:
    """Deal held-out photos into batches: positions in `labels`, the same at every call.

    As in training a batch has at most P items and M photos of each; unlike there, every item is in
    exactly one batch, and no photo is repeated, since its distance to itself says nothing.
    """
    random = np.random.default_rng(0)
    items = random.permutation(np.unique(labels))
    batches = np.array_split(items, math.ceil(len(items) / recipe.identities))
    return [
        np.concatenate(
            [
                random.permutation(np.flatnonzero(labels == item))[: recipe.photos_each]
                for item in batch
            ]
        )
        for batch in batches
    ]


def _validation_loss(
    recipe: Recipe, dataset: Dataset, ranks: Ranks
) -> Callable[[torch.nn.ModuleDict, Vectors], float]:
    """Return what computes the validation loss from the photos' embeddings.

    It is the mean over the batches of the recipe's loss with its miner. A batch in which the miner
    finds nothing counts as 0, as the library has it in training.
    """
    photos, labels = _labeled(recipe, dataset)
    batches = plan_validation(labels, recipe) if photos else []
    if not any(_has_loss(labels[batch], recipe) for batch in batches):
        raise UsageError(
            "the held-out photos have no loss to watch, because no two of them show one item: "
            "--validation with a larger share, or --watched recall_at_1"
        )

    @torch.no_grad()
    def loss_of(objectives: torch.nn.ModuleDict, vectors: Vectors) -> float:
        found = torch.from_numpy(np.stack([vectors[photo.key] for photo in photos]))
        # The parts as the losses are given them in training: each of unit length.
        shape, color = found[:, : recipe.shape_dim], found[:, recipe.shape_dim :]
        parts = {
            name: functional.normalize(part).to(ranks.device)
            for name, part in (("shape", shape), ("color", color))
        }
        known = torch.from_numpy(labels).to(ranks.device)
        losses = [
            sum(
                float(objective.within(parts[name][batch], known[batch]))
                for name, objective in objectives.items()
            )
            for batch in map(torch.from_numpy, batches)
        ]
        # GPUs of two kinds may round differently, and all ranks must stop at the same epoch.
        first: float = ranks.gather_objects(float(np.mean(losses)))[0]
        return first

    return loss_of


def _labeled(recipe: Recipe, dataset: Dataset) -> tuple[Sequence[Photo], NDArray[np.int64]]:
    """Return the held-out photos that have a loss, and their classes.

    Items that are not trained on have no proxies; for a loss over pairs they get further classes.
    """
    classes, photos = dataset.classes, dataset.validation
    if recipe.loss not in PAIR_LOSSES:
        photos = tuple(photo for photo in photos if photo.item_id in classes)
    further = sorted({photo.item_id for photo in photos} - classes.keys())
    classes |= {item: len(classes) + i for i, item in enumerate(further)}
    return photos, np.array([classes[photo.item_id] for photo in photos], np.int64)


def _has_loss(labels: NDArray[np.int64], recipe: Recipe) -> bool:
    """Return whether a batch of these classes can have a loss: a pair loss needs a triplet."""
    return recipe.loss not in PAIR_LOSSES or 1 < len(np.unique(labels)) < len(labels)

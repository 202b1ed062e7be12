"""Models and recipes small enough to be trained in a test, on real code paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lens.evaluation.protocols import Split
from training.data.dataset import Dataset, Photo
from training.data.decoded import DecodedPhotos
from training.loop.batches import TrainingPhotos
from training.loop.distributed import Ranks
from training.loop.losses import plan_epoch
from training.loop.progress import RunProgress
from training.loop.trainer import Trainer
from training.network.embedding_model import EmbeddingModel, build_model
from training.presets import INSHOP, Recipe

SIZE = 28
ALONE = Ranks(0, 1, 0, torch.device("cpu"))


def save_dinov2(folder: Path, blocks: int = 2) -> str:
    """A random DINOv2 whose positions are for another size, as the published ones' are."""
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=blocks,
        num_attention_heads=2,
        mlp_ratio=2,
        patch_size=14,
        image_size=56,
        layerscale_value=0.5,
        initializer_range=0.3,
    )
    Dinov2Model(config).save_pretrained(folder)
    return str(folder)


def small_recipe(backbone: str, **changes: Any) -> Recipe:
    """Two steps of 8 photos an epoch over 16 photos."""
    recipe = replace(
        INSHOP,
        backbone=backbone,
        size=SIZE,
        blank_from=256,
        embedding_dim=8,
        identities=4,
        photos_each=2,
        epochs=3,
        warmup=1,
        precision="fp32",
        miner="none",
        lr=1e-2,
    )
    return replace(recipe, **changes)


def small_photos(items: int = 4, each: int = 4, side: int = 32, seed: int = 0) -> TrainingPhotos:
    """Photos of noise."""
    count = items * each
    levels = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    decoded = DecodedPhotos(levels, {str(i): i for i in range(count)}, {})
    return TrainingPhotos(decoded, np.arange(count), np.repeat(np.arange(items), each))


def small_dataset(items: int = 6, each: int = 4, held: int = 2) -> Dataset:
    """The photos of small_photos, of which the first few of each item are held out."""
    photos = [Photo(str(i), f"item {i // each}", "") for i in range(items * each)]
    validation = tuple(photo for i, photo in enumerate(photos) if i % each < held)
    train = tuple(photo for i, photo in enumerate(photos) if i % each >= held)
    split = Split(tuple(p.key for p in validation), tuple(p.key for p in train))
    return Dataset(Path(), train, validation, (), {"held-out": split}, {})


def small_model(recipe: Recipe, seed: int = 0) -> EmbeddingModel:
    torch.manual_seed(seed)
    return build_model(recipe)


def small_trainer(recipe: Recipe, folder: Path, **arguments: Any) -> Trainer:
    """A trainer that says nothing."""
    ranks = arguments.pop("ranks", ALONE)
    silent = RunProgress(replace(ranks, rank=1))
    return Trainer(
        recipe,
        small_model(recipe),
        small_photos(),
        ranks=ranks,
        folder=folder,
        progress=silent,
        **arguments,
    )


def batch_of(photos: TrainingPhotos, recipe: Recipe, share: slice) -> tuple[torch.Tensor, ...]:
    """Levels and labels of a rank's share of the first step, cropped to nothing less."""
    chosen = plan_epoch(photos.labels, recipe, seed=0, epoch=0)[0][share]
    levels = torch.from_numpy(photos.decoded.levels[chosen]).permute(0, 3, 1, 2)
    return levels, torch.from_numpy(photos.labels[chosen])

"""Presets: the training recipes, and the fields that every recipe has."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from lens.errors import UsageError

Tuning = Literal["full", "blocks", "lora", "head"]
Start = Literal["random", "orthogonal", "pca"]
LossName = Literal["triplet", "proxy-anchor", "cosface", "arcface", "multi-similarity"]
Miner = Literal["semi-hard", "batch-hard", "none"]
Optimizer = Literal["adam", "adamw"]
Schedule = Literal["plateau", "cosine"]
Precision = Literal["fp32", "bf16", "fp16"]
HeldOut = Literal["items", "photos"]
Watched = Literal["recall_at_1", "loss"]

# Losses over pairs of embeddings. The others compare with proxies, one for each item trained on.
PAIR_LOSSES: tuple[LossName, ...] = ("triplet", "multi-similarity")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; every field is an option of train.py and a hyperparameter on AWS."""

    name: str
    backbone: str  # "efficientnet-lite0", or a transformers vision model by its name or folder
    size: int = 224  # pixels a side
    # DINOv2 skips a patch whose gray levels are all at least this; 256: it skips none.
    blank_from: int = 256
    embedding_dim: int = 128
    color_dim: int = 0  # dimensions of the embedding that are made of color statistics
    color_weight: float = 0.7  # length of the color part; the shape part has length 1
    tuning: Tuning = "full"  # which weights of the backbone are trained
    blocks: int = 2  # for tuning "blocks": how many, from the top
    lora_rank: int = 8  # for tuning "lora"
    # The head before training; "orthogonal" and "pca" are those of network/projections.py.
    start: Start = "random"

    loss: LossName = "triplet"
    miner: Miner = "none"
    margin: float = 0.2
    memory: int = 0  # size of the cross-batch memory, in embeddings; 0: none
    identities: int = 24  # P, items in a batch
    photos_each: int = 4  # M, photos of each item in a batch
    recolored: bool = False  # photos reach the backbone with their channels in a random order
    crop: float = 0.2  # smallest share of the photo's area that a random crop keeps

    optimizer: Optimizer = "adamw"
    lr: float = 1e-5  # of the backbone
    head_lr: float = 1e-3
    color_lr: float = 3e-3  # of the color statistics' head
    proxy_lr: float = 1e-2  # of the loss's own weights, if it has any
    weight_decay: float = 1e-2
    schedule: Schedule = "cosine"
    warmup: int = 1  # epochs
    precision: Precision = "fp32"
    epochs: int = 50
    patience: int = 0  # early stopping after this many epochs without a better validation; 0: never

    held_out: HeldOut = "items"
    # Share of the train part held out for validation; 0: no validation, the last epoch is kept.
    validation: float = 0.2
    # The validation's figure that the plateau schedule, patience and the best epoch go by: the
    # highest Recall@1, or the lowest loss.
    watched: Watched = "recall_at_1"

    @property
    def shape_dim(self) -> int:
        """Dimensions made of the backbone's features."""
        return self.embedding_dim - self.color_dim

    @property
    def batch(self) -> int:
        """Photos in a step, of all ranks together."""
        return self.identities * self.photos_each


# The baseline. Its published description says: ViT-B/14, the top blocks and a 128-D head trained,
# P, M, semi-hard triplets, Adam 1e-4, AMP, 50 epochs, 15 % of the images for validation. By the
# validation loss go ReduceLROnPlateau(0.1, 3), early stopping after 7, and best_model.pth, which is
# what is evaluated. Assumed here, because the description does not say: two blocks, margin 0.2,
# crops of at least half the area, one learning rate for all weights, and that the validation loss
# is the training's, over batches as loop/validation.py makes them.
SEED = Recipe(
    name="seed",
    backbone="facebook/dinov2-base",
    tuning="blocks",
    blocks=2,
    loss="triplet",
    miner="semi-hard",
    margin=0.2,
    identities=24,
    photos_each=4,
    crop=0.5,
    optimizer="adam",
    lr=1e-4,
    head_lr=1e-4,
    weight_decay=0.0,
    schedule="plateau",
    warmup=0,
    precision="fp16",
    epochs=50,
    patience=7,
    held_out="photos",
    validation=0.15,
    watched="loss",
)

# What improves on the baseline in the In-Shop literature: all blocks trained, at a hundredth of the
# head's learning rate; batch-hard triplets with OML's margin; 600 photos a batch (for a smaller
# batch, --memory or a proxy loss is better: arXiv 2503.13045); crops of at least a fifth of the
# area; warmup and a cosine schedule; bf16; validation on items that were not trained on. One thing
# is possible only because shops photograph on white: patches of backdrop are skipped.
INSHOP = Recipe(
    name="inshop",
    backbone="facebook/dinov2-base",
    blank_from=245,
    tuning="full",
    loss="triplet",
    miner="batch-hard",
    margin=0.15,
    identities=150,
    photos_each=4,
    crop=0.2,
    lr=1e-5,
    head_lr=1e-3,
    schedule="cosine",
    warmup=3,
    precision="bf16",
    epochs=60,
    patience=15,
)

# For two CPU cores, hundreds of photos and no model hub. The backbone is EfficientNet-Lite0, with
# the upper two thirds of its blocks trained: the lower ones then need no gradients. The heads start
# from projections that are fit without labels. The channels of the training photos are shuffled, so
# that the shape part learns nothing about color; color has a part of its
# own (docs/experiments.md).
LAPTOP = Recipe(
    name="laptop",
    backbone="efficientnet-lite0",
    size=288,
    color_dim=48,
    tuning="blocks",
    blocks=12,
    start="pca",
    recolored=True,
    loss="proxy-anchor",
    margin=0.1,
    identities=16,
    photos_each=4,
    crop=0.5,
    lr=3e-4,
    head_lr=1e-4,
    proxy_lr=1e-2,
    epochs=60,
)

PRESETS = {recipe.name: recipe for recipe in (SEED, INSHOP, LAPTOP)}


def recipe_of(preset: str, changes: dict[str, Any]) -> Recipe:
    """Return a preset with some fields changed; UsageError for a value that a field cannot take."""
    if preset not in PRESETS:
        raise UsageError(f"there is no preset {preset!r}; there are: {', '.join(PRESETS)}")
    recipe = replace(PRESETS[preset], **changes)
    hints = get_type_hints(Recipe)
    for field in fields(recipe):
        value, choices = getattr(recipe, field.name), get_args(hints[field.name])
        if choices and value not in choices:
            raise UsageError(f"{field.name} is {value!r}; it can be: {', '.join(choices)}")
        if isinstance(value, int | float) and value < 0:
            raise UsageError(f"{field.name} is {value}; it cannot be negative")
    above_0 = ("size", "blank_from", "embedding_dim", "identities", "photos_each", "epochs", "crop")
    for name in above_0:
        if getattr(recipe, name) == 0:
            raise UsageError(f"{name} cannot be 0")
    if recipe.blank_from > 256:
        raise UsageError(
            f"blank_from is {recipe.blank_from}; it is a gray level up to 255, or 256 to skip no "
            "patch"
        )
    if recipe.color_dim >= recipe.embedding_dim:
        raise UsageError(
            f"color_dim is {recipe.color_dim}; some of the {recipe.embedding_dim} dimensions must "
            "be left to the backbone"
        )
    if recipe.crop > 1 or recipe.validation >= 1:
        raise UsageError("crop is at most 1, and validation less than 1: both are shares")
    if recipe.schedule == "plateau" and not recipe.validation:
        raise UsageError("the plateau schedule follows the validation: hold some photos out")
    without_proxies = recipe.held_out == "items" and recipe.loss not in PAIR_LOSSES
    if recipe.watched == "loss" and recipe.validation and without_proxies:
        raise UsageError(
            f"{recipe.loss} has no proxies for items that are held out, so it has no validation "
            f"loss: --watched recall_at_1, --held-out photos, or --loss {' or '.join(PAIR_LOSSES)}"
        )
    return recipe

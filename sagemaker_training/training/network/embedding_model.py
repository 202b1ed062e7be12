"""The embedding model: a photo's pixels to its embedding, which has a shape and a color part.

The shape part is a backbone under a linear head; the color part is color statistics under another.
With two parts, shape can be learned from photos whose colors are shuffled (`Recipe.recolored`), so
that it does not depend on color, and color still counts in the embedding.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from lens.errors import UsageError
from lens.models.manifest import Preprocessing
from training.network import lite0, vit
from training.network.color import COLORS, ColorStatistics
from training.network.lora import add_lora
from training.network.projections import Projection
from training.presets import Recipe

LITE0 = "efficientnet-lite0"


class ShapePart(nn.Module):
    """A backbone and a linear head: pixels (N, 3, S, S) to (N, dim) float32, unit length."""

    def __init__(self, backbone: nn.Module, width: int, dim: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(width, dim)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features = self.backbone(pixels)
        with torch.autocast(pixels.device.type, enabled=False):
            return _unit(self.head(features.float()))


class ColorPart(nn.Module):
    """Color statistics and a linear head: pixels (N, 3, S, S) to (N, dim) float32, unit length."""

    def __init__(self, preprocessing: Preprocessing, dim: int) -> None:
        super().__init__()
        self.statistics = ColorStatistics(preprocessing)
        self.head = nn.Linear(COLORS, dim)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(pixels.device.type, enabled=False):
            return _unit(self.head(self.statistics(pixels)))


class EmbeddingModel(nn.Module):
    """Pixels (N, 3, S, S) to embeddings (N, D) float32, unit length."""

    def __init__(
        self,
        shape: ShapePart,
        preprocessing: Preprocessing,
        *,
        color_dim: int = 0,
        color_weight: float = 0.0,
    ) -> None:
        """color_dim: how many of the D dimensions are the color part's. color_weight: the length of
        the color part; the shape part has length 1."""
        super().__init__()
        self.preprocessing = preprocessing
        self.shape = shape
        self.color = ColorPart(preprocessing, color_dim) if color_dim else None
        self.color_weight = color_weight

    def normalized(self, levels: torch.Tensor) -> torch.Tensor:
        """Return gray levels (N, 3, S, S) as pixels, bit for bit as `to_pixels` computes them."""
        mean, std = (
            torch.tensor(values, dtype=torch.float64, device=levels.device).reshape(3, 1, 1)
            for values in (self.preprocessing.mean, self.preprocessing.std)
        )
        return ((levels.double() - mean) / std).float()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        shape: torch.Tensor = self.shape(pixels)
        if self.color is None:
            return shape
        return _unit(torch.cat([shape, self.color_weight * self.color(pixels)], dim=1))


def start_from(part: ShapePart | ColorPart, projection: Projection) -> None:
    """Set a part's head to a projection that was made without labels."""
    matrix = torch.from_numpy(projection.matrix)
    with torch.no_grad():
        part.head.weight.copy_(matrix.T)
        part.head.bias.copy_(-torch.from_numpy(projection.mean) @ matrix)


def build_model(recipe: Recipe, *, pretrained: bool = True) -> EmbeddingModel:
    """Return the model that a recipe describes, with the weights that it does not train frozen.

    Raises UsageError if the backbone is unknown, or the recipe does not fit it.
    """
    backbone: lite0.Lite0 | vit.VisionTransformer
    if recipe.backbone == LITE0:
        if recipe.size % lite0.MULTIPLE:
            raise UsageError(f"{LITE0} needs a size that is a multiple of {lite0.MULTIPLE}")
        if recipe.blank_from < 256:
            raise UsageError(f"{LITE0} cannot skip patches: --blank-from 256")
        backbone = lite0.load_lite0() if pretrained else lite0.Lite0()
        backbone.to(memory_format=torch.channels_last)
        width = lite0.WIDTH
        preprocessing = lite0.lite0_preprocessing(recipe.size)
    else:
        backbone, preprocessing = vit.load_backbone(
            recipe.backbone,
            recipe.size,
            pretrained=pretrained,
            blank_from=recipe.blank_from,
        )
        width = backbone.width
    _choose_trained(backbone, recipe)
    return EmbeddingModel(
        ShapePart(backbone, width, recipe.shape_dim),
        preprocessing,
        color_dim=recipe.color_dim,
        color_weight=recipe.color_weight,
    )


def backbone_name(recipe: Recipe) -> str:
    """Return the backbone's name for the model's manifest."""
    short = recipe.backbone.rstrip("/").rpartition("/")[2]
    return f"{short}-color" if recipe.color_dim else short


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return functional.normalize(rows, dim=1, eps=1e-12)


def _choose_trained(backbone: lite0.Lite0 | vit.VisionTransformer, recipe: Recipe) -> None:
    if recipe.tuning == "lora":
        add_lora(backbone, recipe.lora_rank)
    elif recipe.tuning == "head":
        backbone.requires_grad_(False)
    elif recipe.tuning == "full":
        if isinstance(backbone, vit.VisionTransformer):
            backbone.freeze_patches()
    else:
        blocks = backbone.blocks
        if not 0 < recipe.blocks <= len(blocks):
            raise UsageError(f"blocks is {recipe.blocks}; {recipe.backbone} has {len(blocks)}")
        backbone.requires_grad_(False)
        for block in blocks[-recipe.blocks :]:
            block.requires_grad_(True)
        for name, module in backbone.named_modules():
            if name == "model.layernorm":
                module.requires_grad_(True)

"""The model: backbone, color statistics and head, from a photo's pixels to its embedding."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

import color_statistics
import lite0_torch
import vit
from color_statistics import ColorStatistics
from lens.errors import UsageError
from lens.heads import Head
from lens.lite0 import BACKBONE as LITE0_COLOR
from lens.models import Preprocessing
from lora import add_lora
from presets import Recipe

LITE0 = "efficientnet-lite0"


class EmbeddingModel(nn.Module):
    """Pixels (N, 3, S, S) to embeddings (N, D) of unit length, float32."""

    def __init__(
        self,
        backbone: nn.Module,
        width: int,
        preprocessing: Preprocessing,
        *,
        embedding_dim: int,
        color: bool,
    ) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        self.backbone = backbone
        self.color = ColorStatistics(preprocessing) if color else None
        self.head = nn.Linear(width + (color_statistics.WIDTH if color else 0), embedding_dim)

    def normalized(self, levels: torch.Tensor) -> torch.Tensor:
        """Gray levels (N, 3, S, S) as pixels, to the last bit as lens.preprocessing makes them."""
        mean, std = (
            torch.tensor(values, dtype=torch.float64, device=levels.device).reshape(3, 1, 1)
            for values in (self.preprocessing.mean, self.preprocessing.std)
        )
        return ((levels.double() - mean) / std).float()

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """What the head is given, (N, F) float32."""
        semantics = self.backbone(pixels).float()
        if self.color is None:
            return semantics
        unit = functional.normalize(semantics, dim=1, eps=1e-12)
        return torch.cat([unit, color_statistics.WEIGHT * self.color(pixels)], dim=1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features = self.features(pixels)
        with torch.autocast(pixels.device.type, enabled=False):
            return functional.normalize(self.head(features), dim=1, eps=1e-12)

    def start_from(self, head: Head) -> None:
        """Begin with a head that was fit without labels."""
        projection = torch.from_numpy(head.projection)
        with torch.no_grad():
            self.head.weight.copy_(projection.T)
            self.head.bias.copy_(-torch.from_numpy(head.mean) @ projection)


def build_model(recipe: Recipe, *, pretrained: bool = True) -> EmbeddingModel:
    """The model a recipe names, what it does not train frozen. UsageError where it is unknown."""
    backbone: lite0_torch.Lite0 | vit.VisionTransformer
    if recipe.backbone == LITE0:
        if recipe.size % lite0_torch.MULTIPLE:
            raise UsageError(f"{LITE0} needs a size that is a multiple of {lite0_torch.MULTIPLE}")
        backbone = lite0_torch.load_lite0() if pretrained else lite0_torch.Lite0()
        backbone.to(memory_format=torch.channels_last)
        width = lite0_torch.WIDTH
        preprocessing = lite0_torch.lite0_preprocessing(recipe.size)
    else:
        backbone, preprocessing = vit.load_backbone(
            recipe.backbone, recipe.size, pretrained=pretrained
        )
        width = backbone.width
    _choose_trained(backbone, recipe)
    return EmbeddingModel(
        backbone,
        width,
        preprocessing,
        embedding_dim=recipe.embedding_dim,
        color=recipe.color,
    )


def backbone_name(recipe: Recipe) -> str:
    """The backbone as a manifest names it."""
    if recipe.backbone == LITE0 and recipe.color:
        return LITE0_COLOR
    short = recipe.backbone.rstrip("/").rpartition("/")[2]
    return f"{short}-color" if recipe.color else short


def _choose_trained(backbone: lite0_torch.Lite0 | vit.VisionTransformer, recipe: Recipe) -> None:
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

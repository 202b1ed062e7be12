"""The garment network: a photo's embedding, and where in it garments are, in one run.

EfficientNet-Lite0 is the trunk. Its map of stride 16, with what the map of stride 32 adds, tells
for each cell and kind how surely a garment of that kind is centered there, and its box. A map of
stride 8 tells what is garment: the features are averaged and the colors counted there, so that a
bed's or a street's do not count.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from training.garment.colors import COLORS, GarmentColors
from training.network.lite0 import Lite0

TRUNK_MAPS = {8: 4, 16: 10, 32: 15}  # the block of the trunk that makes the last map of a stride
_CHANNELS = {8: 40, 16: 112, 32: 320}
_NECK = 96
_FINE = 32
_POWER = 3.0  # of the generalized mean, as in training.network.lite0
# What a place without garment counts: a photo where none is seen is averaged whole.
_ELSEWHERE = 0.05
# Before training, a garment is centered in so many cells (Lin et al. 2017, "Focal loss").
_PRIOR = 0.01


class GarmentNetwork(nn.Module):
    """Pixels (N, 3, S, S) to `embedding` (N, D), `boxes` (N, C, 4) and `scores` (N, C, T).

    An embedding is a shape part of length 1 and a color part of length `color_weight`, scaled to
    length 1. Boxes are x0, y0, x1, y1 as fractions of the square; C cells are in rows.
    """

    def __init__(
        self,
        trunk: Lite0,
        *,
        kinds: int,
        shape_dim: int = 80,
        color_dim: int = 48,
        color_weight: float = 0.75,
        mean: float = 127.0,
        std: float = 128.0,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.color_weight = color_weight
        self.side16 = nn.Conv2d(_CHANNELS[16], _NECK, 1)
        self.side32 = nn.Conv2d(_CHANNELS[32], _NECK, 1)
        self.neck = nn.Sequential(_separable(_NECK), _separable(_NECK))
        self.scores = nn.Conv2d(_NECK, kinds, 1)
        self.sides = nn.Conv2d(_NECK, 4, 1)
        self.fine8 = nn.Conv2d(_CHANNELS[8], _FINE, 1)
        self.fine16 = nn.Conv2d(_NECK, _FINE, 1)
        self.fine = _separable(_FINE)
        self.garment = nn.Conv2d(_FINE, 1, 1)
        self.shape = nn.Linear(1280, shape_dim)
        self.colors = GarmentColors(mean, std)
        self.color = nn.Linear(COLORS, color_dim)
        nn.init.constant_(self.scores.bias, -torch.logit(torch.tensor(1 - _PRIOR)).item())
        # e cells to each side: a box begins between five and six cells wide.
        nn.init.zeros_(self.sides.weight)
        nn.init.constant_(self.sides.bias, 1.0)

    def maps(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The trunk's maps of stride 8, 16 and 32."""
        x = functional.relu6(self.trunk.stem(pixels.contiguous(memory_format=torch.channels_last)))
        found = {}
        for number, block in enumerate(self.trunk.stages):
            x = block(x)
            for stride, last in TRUNK_MAPS.items():
                if number == last:
                    found[stride] = x
        return found[8], found[16], found[32]

    def places(
        self, at8: torch.Tensor, at16: torch.Tensor, at32: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Score logits (N, T, H, W), boxes (N, H, W, 4) and garment logits (N, 1, 2H, 2W)."""
        neck = functional.relu6(self.side16(at16) + _doubled(self.side32(at32)))
        neck = self.neck(neck)
        sides = self.sides(neck).clamp(-4, 4).exp().permute(0, 2, 3, 1)
        boxes = _boxes(sides)
        fine = functional.relu6(self.fine8(at8) + _doubled(self.fine16(neck)))
        return self.scores(neck), boxes, self.garment(self.fine(fine))

    def parts(
        self, pixels: torch.Tensor, at32: torch.Tensor, garment: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The shape part (N, A) and the color part (N, B), unit length, from what is garment,
        (N, 1, S/8, S/8) in 0..1."""
        features, colors = self.features(pixels, at32, garment)
        return _unit(self.shape(features)), _unit(self.color(colors))

    def features(
        self, pixels: torch.Tensor, at32: torch.Tensor, garment: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What the two parts are made of: (N, 1280) of the trunk and (N, COLORS), unit length."""
        top = functional.relu6(self.trunk.top(at32))
        weight = functional.avg_pool2d(garment, 4) + _ELSEWHERE
        mean = (top.pow(_POWER) * weight).sum(dim=(2, 3)) / weight.sum(dim=(2, 3))
        # A channel that is zero everywhere has mean 0, where a root's derivative is infinite.
        features = functional.normalize(mean.clamp(min=1e-18).pow(1 / _POWER), dim=1, eps=1e-12)
        return features, self.colors(pixels, _doubled(garment))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The embedding, the boxes and the scores."""
        maps = self.maps(pixels)
        scores, boxes, garment = self.places(*maps)
        shape, color = self.parts(pixels, maps[2], garment.sigmoid())
        embedding = _unit(torch.cat([shape, self.color_weight * color], dim=1))
        return embedding, boxes.flatten(1, 2), scores.sigmoid().flatten(2).transpose(1, 2)


def _separable(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
        nn.Conv2d(channels, channels, 1),
        nn.ReLU6(),
    )


def _doubled(maps: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(maps, scale_factor=2.0, mode="nearest")


def _boxes(sides: torch.Tensor) -> torch.Tensor:
    """Boxes (N, H, W, 4) of the distances left, up, right and down from each cell's center, which
    are in cells."""
    height, width = sides.shape[1:3]
    rows = (torch.arange(height, device=sides.device) + 0.5) / height
    columns = (torch.arange(width, device=sides.device) + 0.5) / width
    x, y = columns.expand(height, width), rows[:, None].expand(height, width)
    left, up, right, down = (sides / height).unbind(dim=3)
    return torch.stack([x - left, y - up, x + right, y + down], dim=3)


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return functional.normalize(rows, dim=1, eps=1e-12)

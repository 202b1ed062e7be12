"""Garment colors: a soft Oklab histogram of the pixels, each counted as far as it is garment."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from training.network import color

COLORS = color.COLORS
# How a garment's pixels count where none is seen: hardly, but a photo's colors are never none.
_ELSEWHERE = 1e-3


class GarmentColors(nn.Module):
    """Pixels (N, 3, S, S) and what is garment (N, 1, S/4, S/4), 0..1, to (N, COLORS), unit length.

    The brightest pixel that is not padding tells the color of the light, as in
    training.network.color; unlike there, near-white counts too where it is garment.
    """

    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.mean, self.std = mean / 255, std / 255

        def constant(name: str, values: object, shape: tuple[int, ...]) -> None:
            tensor = torch.tensor(values, dtype=torch.float32).reshape(shape)
            self.register_buffer(name, tensor, persistent=False)

        constant("cones", color.CONES, (3, 3))
        constant("opponents", color.OPPONENTS, (3, 3))
        constant("lightness_bins", range(color.LIGHTNESS_BINS), (-1, 1))
        constant("chroma_bins", range(color.CHROMA_BINS), (-1, 1))

    def forward(self, pixels: torch.Tensor, garment: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            seen = functional.avg_pool2d(pixels, color.POOL) * self.std + self.mean
            seen = seen.clamp(0, 1)
            brightest = seen.amin(dim=1, keepdim=True)
            padding = (brightest > 1 - 1e-4).to(seen.dtype)
            near = functional.max_pool2d(padding, 3, stride=1, padding=1)
            white = (seen * (1 - near)).amax(dim=(2, 3), keepdim=True)
            rgb = (seen / white.clamp(min=color.DARKEST_WHITE)).clamp(max=1).flatten(2)
            weight = (garment * (1 - padding) + _ELSEWHERE * (1 - padding) + 1e-6).flatten(2)
            lab = self.opponents @ (self.cones @ rgb.pow(color.DISPLAY_GAMMA)).pow(1 / 3)
            lightness = lab[:, :1] * (color.LIGHTNESS_BINS - 1)
            lightness_share = (1 - (lightness - self.lightness_bins).abs()).relu() * weight
            chroma = lab[:, 1:]
            scaled = (chroma.abs().sqrt() * chroma.sign() + 0.5).clamp(0, 1)
            scaled = scaled * (color.CHROMA_BINS - 1)
            share = (1 - (scaled.unsqueeze(2) - self.chroma_bins).abs()).relu()  # (N, 2, C, P)
            ab_share = (share[:, 0].unsqueeze(2) * share[:, 1].unsqueeze(1)).flatten(1, 2)
            counts = (ab_share @ lightness_share.transpose(1, 2)).flatten(1)
            return (counts / counts.sum(dim=1, keepdim=True).clamp(min=1e-9)).sqrt()

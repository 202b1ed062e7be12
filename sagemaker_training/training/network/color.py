"""Color statistics in torch: a soft Oklab histogram of the pixels that are not white.

lens.default_model.color is its twin as an ONNX graph: it explains the steps and owns the constants.
The test that holds the two equal is tests/sagemaker_training/network/test_embedding_model.py.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from lens.default_model import color
from lens.models.manifest import Preprocessing

WIDTH = color.COLORS


class ColorStatistics(nn.Module):
    """Pixels (N, 3, S, S) to (N, WIDTH): rows of unit length, or zero for a photo that is all
    white."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()

        def constant(name: str, values: object, shape: tuple[int, ...]) -> None:
            tensor = torch.tensor(values, dtype=torch.float32).reshape(shape)
            self.register_buffer(name, tensor, persistent=False)

        for name in ("mean", "std", "fill"):
            levels = getattr(preprocessing, name)
            constant(name, [level / 255 for level in levels], (3, 1, 1))
        constant("cones", color.CONES, (3, 3))
        constant("opponents", color.OPPONENTS, (3, 3))
        constant("lightness_bins", range(color.LIGHTNESS_BINS), (-1, 1))
        constant("chroma_bins", range(color.CHROMA_BINS), (-1, 1))

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(pixels.device.type, enabled=False):
            seen = functional.avg_pool2d(pixels.float(), color.POOL) * self.std + self.mean
            return self._histogram(self._relit(seen.clamp(0, 1)))

    def _relit(self, seen: torch.Tensor) -> torch.Tensor:
        """Return (N, 3, P): the photo as if its brightest pixel were white."""
        unlikeness = (seen - self.fill).abs().amax(dim=1, keepdim=True)
        padding = (unlikeness < 1e-5).float()
        inside = 1 - functional.max_pool2d(padding, 3, stride=1, padding=1)
        brightest = (seen * inside).amax(dim=(2, 3), keepdim=True)
        return (seen / brightest.clamp(min=color.DARKEST_WHITE)).clamp(max=1).flatten(2)

    def _histogram(self, rgb: torch.Tensor) -> torch.Tensor:
        foreground = ((1 - rgb.amin(dim=1, keepdim=True)) * (255 / color.WHITE_MARGIN)).clamp(max=1)
        lab = self.opponents @ (self.cones @ rgb.pow(color.DISPLAY_GAMMA)).pow(1 / 3)
        lightness = lab[:, :1] * (color.LIGHTNESS_BINS - 1)
        lightness_share = (1 - (lightness - self.lightness_bins).abs()).relu() * foreground
        chroma = lab[:, 1:]
        scaled = (chroma.abs().sqrt() * chroma.sign() + 0.5).clamp(0, 1) * (color.CHROMA_BINS - 1)
        share = (1 - (scaled.unsqueeze(2) - self.chroma_bins).abs()).relu()  # (N, 2, C, P)
        ab_share = (share[:, 0].unsqueeze(2) * share[:, 1].unsqueeze(1)).flatten(1, 2)
        counts = (ab_share @ lightness_share.transpose(1, 2)).flatten(1)
        return (counts / counts.sum(dim=1, keepdim=True).clamp(min=1e-6)).sqrt()

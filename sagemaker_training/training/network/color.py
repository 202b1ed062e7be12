"""Color statistics: a soft Oklab histogram of the pixels that are not white.

A classification backbone learns to ignore color, but color is half of recognizing a garment. Each
pixel is shared among the bins around it, so that a small change of light changes little. Chroma is
binned by its square root: the bins are finer near gray, where garments differ. The brightest pixel
tells the color of the light. Near-white pixels (a shop's backdrop, our padding) do not count.

training.export.color_graph is its twin as an ONNX graph; the test that holds the two equal is
tests/sagemaker_training/export/test_color_graph.py.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from lens.models.manifest import Preprocessing

LIGHTNESS_BINS, CHROMA_BINS = 12, 16
COLORS = LIGHTNESS_BINS * CHROMA_BINS**2

# Squares of this many pixels a side are averaged first: texture and noise are not color, and 16
# times fewer pixels are left to compute with.
POOL = 4
# A pixel whose darkest channel is within this many gray levels of 255 counts less the nearer it is.
WHITE_MARGIN = 20
# The brightest value of each channel is taken for white (the white-patch rule: Land & McCann 1971),
# but never a value below this: a close-up without any white keeps most of its color.
DARKEST_WHITE = 0.8
# The exponent from a pixel's value, 0..1, to linear light; sRGB's curve, simplified.
DISPLAY_GAMMA = 2.2
# The matrices of Oklab (Ottosson 2020, "A perceptual color space for image processing"). On sRGB, L
# is 0..1, and a and b stay within -1/4..1/4 except for the purest colors, so that
# 1/2 + sign(a) sqrt(|a|) is 0..1.
# From linear sRGB to the responses of the eye's cones.
CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
# From the cube roots of those responses to (L, a, b).
OPPONENTS = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


class ColorStatistics(nn.Module):
    """Pixels (N, 3, S, S) to (N, COLORS): rows of unit length, or zero for a photo that is all
    white."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()

        def constant(name: str, values: object, shape: tuple[int, ...]) -> None:
            tensor = torch.tensor(values, dtype=torch.float32).reshape(shape)
            self.register_buffer(name, tensor, persistent=False)

        for name in ("mean", "std", "fill"):
            levels = getattr(preprocessing, name)
            constant(name, [level / 255 for level in levels], (3, 1, 1))
        constant("cones", CONES, (3, 3))
        constant("opponents", OPPONENTS, (3, 3))
        constant("lightness_bins", range(LIGHTNESS_BINS), (-1, 1))
        constant("chroma_bins", range(CHROMA_BINS), (-1, 1))

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(pixels.device.type, enabled=False):
            seen = functional.avg_pool2d(pixels.float(), POOL) * self.std + self.mean
            return self._histogram(self._relit(seen.clamp(0, 1)))

    def _relit(self, seen: torch.Tensor) -> torch.Tensor:
        """Return (N, 3, P): the photo as if its brightest pixel were white."""
        unlikeness = (seen - self.fill).abs().amax(dim=1, keepdim=True)
        padding = (unlikeness < 1e-5).float()
        inside = 1 - functional.max_pool2d(padding, 3, stride=1, padding=1)
        brightest = (seen * inside).amax(dim=(2, 3), keepdim=True)
        return (seen / brightest.clamp(min=DARKEST_WHITE)).clamp(max=1).flatten(2)

    def _histogram(self, rgb: torch.Tensor) -> torch.Tensor:
        foreground = ((1 - rgb.amin(dim=1, keepdim=True)) * (255 / WHITE_MARGIN)).clamp(max=1)
        lab = self.opponents @ (self.cones @ rgb.pow(DISPLAY_GAMMA)).pow(1 / 3)
        lightness = lab[:, :1] * (LIGHTNESS_BINS - 1)
        lightness_share = (1 - (lightness - self.lightness_bins).abs()).relu() * foreground
        chroma = lab[:, 1:]
        scaled = (chroma.abs().sqrt() * chroma.sign() + 0.5).clamp(0, 1) * (CHROMA_BINS - 1)
        share = (1 - (scaled.unsqueeze(2) - self.chroma_bins).abs()).relu()  # (N, 2, C, P)
        ab_share = (share[:, 0].unsqueeze(2) * share[:, 1].unsqueeze(1)).flatten(1, 2)
        counts = (ab_share @ lightness_share.transpose(1, 2)).flatten(1)
        return (counts / counts.sum(dim=1, keepdim=True).clamp(min=1e-6)).sqrt()

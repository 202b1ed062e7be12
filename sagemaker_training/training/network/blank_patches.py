"""Blank patches: the white backdrop and the padding of a photo, which a backbone can skip.

A patch is blank when no gray level of its pixels is below a threshold. The backbone skips blank
patches in training as in serving, so the served model computes exactly what was trained.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from lens.models.manifest import Preprocessing


class Blank(nn.Module):
    """Pixels (N, 3, S, S) to whether each patch is blank: (N, P) bool, patches row by row."""

    def __init__(self, preprocessing: Preprocessing, *, patch: int, level: int) -> None:
        """level: the lowest gray level that a blank patch may have."""
        super().__init__()
        self.patch = patch
        mean, std = (
            torch.tensor(values, dtype=torch.float64).reshape(3, 1, 1)
            for values in (preprocessing.mean, preprocessing.std)
        )
        # Halfway between two gray levels, so that rounding cannot change the result.
        threshold = ((level - 0.5 - mean) / std).float()
        self.register_buffer("threshold", threshold, persistent=False)

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        below = (pixels < self.threshold).any(dim=1).float()
        return functional.max_pool2d(below, self.patch).flatten(1) == 0

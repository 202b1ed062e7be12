"""Blank patches: the white backdrop of a shop's photo and its padding, which a model need not see.

A patch is blank when no level of its pixels is below a threshold. What a backbone leaves out in
serving it has never seen in training either, so nothing is approximated.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from lens.models.manifest import Preprocessing


class Blank(nn.Module):
    """Pixels (N, 3, S, S) to whether each patch is blank, (N, P) bool, row by row."""

    def __init__(self, preprocessing: Preprocessing, *, patch: int, level: int) -> None:
        """level: the gray level from which on all pixels of a blank patch are."""
        super().__init__()
        self.patch = patch
        mean, std = (
            torch.tensor(values, dtype=torch.float64).reshape(3, 1, 1)
            for values in (preprocessing.mean, preprocessing.std)
        )
        # Between two levels, where rounding changes nothing.
        threshold = ((level - 0.5 - mean) / std).float()
        self.register_buffer("threshold", threshold, persistent=False)

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        below = (pixels < self.threshold).any(dim=1).float()
        return functional.max_pool2d(below, self.patch).flatten(1) == 0

"""Baseline (a), the seed's design: DINOv2 and a linear head in torch, eager, fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import Dinov2Config, Dinov2Model

from tests.benchmarks.baselines.app import Floats, Service


class Encoder(nn.Module):
    """Pixels (N, 3, S, S) to (N, D) unit vectors: a head on the CLS token."""

    def __init__(self, config: dict[str, Any], dim: int) -> None:
        super().__init__()
        self.backbone = Dinov2Model(Dinov2Config(**config))
        self.head = nn.Linear(self.backbone.config.hidden_size, dim)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        tokens = self.backbone(pixels).last_hidden_state
        return functional.normalize(self.head(tokens[:, 0]), dim=1)


def load_encoder(folder: Path) -> Encoder:
    """The encoder with the workload's weights, ready for inference."""
    saved = torch.load(folder / "weights.pt", weights_only=True)
    encoder = Encoder(saved["config"], saved["dim"])
    encoder.load_state_dict(saved["state"])
    return encoder.eval()


def load_service(folder: Path, threads: int) -> Service:
    """`threads`: torch's for one call; 0 leaves its default, all cores."""
    if threads:
        torch.set_num_threads(threads)
    encoder = load_encoder(folder)

    def embed(pixels: Floats) -> Floats:
        with torch.inference_mode():
            vectors: Floats = encoder(torch.from_numpy(pixels)).numpy()
        return vectors

    return Service(folder, embed)

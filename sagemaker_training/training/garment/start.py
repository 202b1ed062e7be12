"""The start: the heads of a garment network before training, from PCAs of its own features."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from lens.default_model.projections import fit_projection
from training.garment.batches import Batch
from training.garment.network import GarmentNetwork

_CROPS = 9


@torch.no_grad()
def start_heads(network: GarmentNetwork, batches: Iterator[Batch]) -> None:
    """Set both heads to half-whitened PCAs of the crops' features, each crop under its own mask.

    Batches are taken until there are _CROPS crops for each dimension of the larger head.
    """
    heads: tuple[nn.Linear, nn.Linear] = (network.shape, network.color)
    enough = _CROPS * max(head.out_features for head in heads)
    found: list[tuple[torch.Tensor, torch.Tensor]] = []
    while sum(len(shape) for shape, _ in found) < enough:
        batch = next(batches)
        pixels = batch.pixels[: batch.crops]
        garment = batch.garment[: batch.crops].clamp(min=0)
        found.append(network.features(pixels, network.maps(pixels)[2], garment))
    for head, features in zip(heads, zip(*found, strict=True), strict=True):
        projection = fit_projection(torch.cat(features).float().numpy(), head.out_features)
        matrix = torch.from_numpy(projection.matrix)
        head.weight.copy_(matrix.T)
        head.bias.copy_(-torch.from_numpy(projection.mean) @ matrix)

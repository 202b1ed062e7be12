"""The start: heads and proxies before training, from what the network makes of the photos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

from training.garment.batches import Batch
from training.garment.labels import Labeled
from training.garment.material import Material
from training.garment.neighbors import rows_of_photos
from training.garment.network import GarmentNetwork
from training.garment.objectives import Objectives
from training.network.projections import fit_projection

_CROPS = 9


@torch.no_grad()
def start_rows(
    network: GarmentNetwork, objectives: Objectives, material: Material, size: int
) -> None:
    """Set what the objectives keep of every photo to what the network makes of it."""
    shapes, colors = rows_of_photos(network, material, size)
    objectives.neighbors.rows.copy_(shapes)
    objectives.tints.rows.copy_(colors)


@torch.no_grad()
def start_proxies(objectives: Objectives, catalog: Sequence[Labeled]) -> None:
    """Set the proxies of items and of their colors to the centers of their photos' rows, which the
    objectives keep."""
    for loss, rows, labels in (
        (objectives.items, objectives.neighbors.rows, [photo.item for photo in catalog]),
        (objectives.colors, objectives.tints.rows, [photo.color for photo in catalog]),
    ):
        centers = loss.proxies.data
        centers.zero_().index_add_(0, torch.tensor(labels), rows[: len(catalog)])
        centers.copy_(functional.normalize(centers, dim=1))


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

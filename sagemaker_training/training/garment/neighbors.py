"""Neighbors: whom a photo was like before training it stays like, whatever a view of it changes.

A catalog has few items, and a network that learns these alone forgets what tells others apart.
The network before training knows that, of photos as they are: it teaches whom each photo of the
material is like, the photo itself first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lens.evaluation.color_difference import Floats, ciede2000, lab_of
from training.garment.batches import DEVIATION, LEVEL
from training.garment.labels import Labeled
from training.garment.material import Material
from training.garment.network import GarmentNetwork
from training.garment.views import UNKNOWN, Views

# Of cosines, before the softmax over photos; the same on both sides, so that a neighbor's cosine is
# to be what it was.
_SCALE = 10.0
_AT_ONCE = 32
_FAR = 40.0  # CIEDE2000: as between black and a middle gray
_HALF = 127  # of a label's mask
_GARMENT, _FINE_CELL = 255, 8  # of a view, and of the network's finest map


@dataclass(frozen=True)
class Before:
    """How like each photo was to each before training, the catalog's first, (P, P): in shape, -inf
    for photos of two sources, and in color."""

    shapes: torch.Tensor
    colors: torch.Tensor


class NeighborLoss(nn.Module):
    """Cross entropy between whom a view is like and whom its photo was like before training, both
    as softmax over all photos, of which the last rows are kept."""

    rows: torch.Tensor
    before: torch.Tensor

    def __init__(self, before: torch.Tensor, dim: int) -> None:
        """before: (P, P), as of Before."""
        super().__init__()
        # What was before is made again when a run is resumed, which is less than to keep it.
        self.register_buffer("before", before, persistent=False)
        self.register_buffer("rows", torch.zeros(len(before), dim))

    def forward(self, rows: torch.Tensor, photos: torch.Tensor) -> torch.Tensor:
        """rows: (N, D), unit length. photos: (N,), which photo each is a view of."""
        wanted = _SCALE * self.before[photos]
        found = _SCALE * rows @ self.rows.clone().T
        share = found.masked_fill(wanted.isinf(), -1e4).log_softmax(dim=1)
        self.rows[photos] = rows.detach()
        return -(wanted.softmax(dim=1) * share).sum(dim=1).mean()


@torch.no_grad()
def rows_of_photos(
    network: GarmentNetwork, material: Material, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The shape and the color part of every photo, the catalog's first, cut out as serving does."""
    shapes, colors = [], []
    for pixels, _ in _cut_out(material, size):
        maps = network.maps(pixels)
        shape, color = network.parts(pixels, maps[2], network.places(*maps)[2].sigmoid())
        shapes.append(shape)
        colors.append(color)
    return torch.cat(shapes), torch.cat(colors)


@torch.no_grad()
def seen_before(network: GarmentNetwork, material: Material, size: int) -> Before:
    """What this network, untrained, sees of every photo under its label's mask.

    Two colors are alike by half as their histograms are, which know prints, and by half as they
    look (CIEDE2000 of the medians): histograms without a common bin may be of near colors or far.
    """
    shapes, colors = [], []
    for pixels, garment in _cut_out(material, size):
        shape, color = network.features(pixels, network.maps(pixels)[2], garment)
        shapes.append(shape)
        colors.append(color)
    number = len(material.catalog)
    found = torch.cat(shapes)
    # How a source photographs is not whom a garment is like.
    parts = [part - part.mean(dim=0) for part in (found[:number], found[number:])]
    rows = functional.normalize(torch.cat(parts), dim=1)
    source = torch.arange(len(rows)) >= number
    apart = source[:, None] != source
    counts = torch.cat(colors)
    looks = _looks([*material.catalog, *material.shoppers])
    return Before((rows @ rows.T).masked_fill(apart, -torch.inf), (counts @ counts.T + looks) / 2)


def _looks(photos: Sequence[Labeled]) -> torch.Tensor:
    """How like the photos' garments look in color, (P, P) in 0..1."""
    medians = np.array([_median(photo) for photo in photos])
    rows = [np.exp(-ciede2000(each, medians) / _FAR) for each in medians]
    return torch.from_numpy(np.array(rows, np.float32))


def _median(photo: Labeled) -> Floats:
    """(3,) CIELAB of a photo's garment, channel by channel."""
    inside = None if photo.mask is None else photo.mask > _HALF
    if inside is None or not inside.any():
        inside = np.ones(photo.image.shape[:2], bool)
    median: Floats = np.median(lab_of(photo.image[inside]), axis=0)
    return median


def _cut_out(material: Material, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Every photo's garment, a few at once: pixels (N, 3, S, S) and what is garment in them,
    (N, 1, S/8, S/8); all of it where no mask is known."""
    views = Views([material.catalog[0].image], size, 0)
    photos: list[Labeled] = [*material.catalog, *material.shoppers]
    for first in range(0, len(photos), _AT_ONCE):
        made = [views.cut_out(photo) for photo in photos[first : first + _AT_ONCE]]
        levels = torch.stack([torch.from_numpy(view.image.copy()) for view in made])
        known = torch.stack([torch.from_numpy(view.garment.copy()) for view in made])[:, None]
        masked = (known == _GARMENT).flatten(1).any(dim=1)[:, None, None, None]
        inside = torch.where(masked, known == _GARMENT, known == UNKNOWN)
        garment = functional.avg_pool2d(inside.float(), _FINE_CELL)
        yield (levels.permute(0, 3, 1, 2).float() - LEVEL) / DEVIATION, garment

"""Batches: what the garment network sees in a step, drawn from labeled photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lens.errors import UsageError
from training.garment.heat import heat_of
from training.garment.labels import KINDS, PLACES, Box, Labeled
from training.garment.material import Material
from training.garment.plan import Phase
from training.garment.views import UNKNOWN, View, Views
from training.loop.seeds import mixed_seed

_CELL, _FINE_CELL = 16, 8  # pixels of a view to a cell of the network's maps
LEVEL, DEVIATION = 127, 128  # as in training.network.lite0
# Of a cell's pixels, from which what is garment there is not known.
_TOO_MANY_UNKNOWN = 0.25
# Of the scenes: how many are outfits, garments of both sources, shoppers' photos; the rest is
# without garments.
_OUTFITS, _PAIRS, _SHOPPERS = 0.22, 0.46, 0.82


@dataclass(frozen=True)
class Batch:
    """N views: crops, the catalog's first, then scenes. H is S/16.

    pixels: (N, 3, S, S). photos: (crops,), which of the material's photos each shows, the catalog's
    first. items, colors: (crops,), -1 for a shopper's photo. kinds: (crops, KINDS).
    garment: (N, 1, S/8, S/8), the share of a cell that is garment, -1 where that is not known.
    heat, weight: (N, PLACES, H, H). boxes: (N, H, H, 4), hottest: (N, H, H), as heat_of says.
    """

    pixels: torch.Tensor
    photos: torch.Tensor
    items: torch.Tensor
    colors: torch.Tensor
    kinds: torch.Tensor
    crops: int
    garment: torch.Tensor
    heat: torch.Tensor
    weight: torch.Tensor
    boxes: torch.Tensor
    hottest: torch.Tensor


class Batches:
    """Draws the batches of a phase; each from its own seed, whatever was drawn before."""

    def __init__(self, material: Material, phase: Phase, *seeds: int) -> None:
        """`seeds` tell the run and the phase. Raises UsageError for more items than there are."""
        if phase.items > material.items:
            raise UsageError(
                f"a batch needs photos of {phase.items} items, and there are {material.items}: "
                f"--plan items={material.items}, or less"
            )
        self._phase, self._seeds = phase, seeds
        self._backgrounds, self._things = material.backgrounds, material.things
        photos = [*material.catalog, *material.shoppers]
        self._number = {id(photo): number for number, photo in enumerate(photos)}
        self._catalog, self._shoppers = material.catalog, material.shoppers
        self._of_item: dict[int, list[Labeled]] = {}
        for photo in self._catalog:
            self._of_item.setdefault(photo.item, []).append(photo)
        # Kinds are drawn evenly, half way: by the root of how many photos they have.
        kind = np.array([int(np.flatnonzero(photo.kinds)[0]) for photo in self._shoppers])
        share = np.bincount(kind, minlength=len(KINDS)).clip(min=1) ** -0.5
        self._chance = share[kind] / share[kind].sum()
        self._cut = [photo for photo in self._catalog if photo.cut_out is not None]
        # Dresses are few in a catalog, and look like a top over a skirt: drawn as often as these.
        placed = [p for p in self._cut if p.places]
        self._by_place = [
            [p for p in placed if p.places[0][0] == place]
            for place in sorted({p.places[0][0] for p in placed})
        ]
        self._tops = [p for p in self._cut if p.places and p.places[0][0] == PLACES.index("upper")]
        self._bottoms = [
            p for p in self._cut if p.places and p.places[0][0] == PLACES.index("lower")
        ]

    def arrays(self, step: int) -> dict[str, NDArray[Any]]:
        """The batch of a step as arrays, which a process can hand over cheaply; see `as_batch`."""
        crops, scenes = self._draw(mixed_seed(*self._seeds, step))
        views = [view for view, _ in crops] + scenes
        heats = [self._heat(view) for view in views]
        heat, weight, boxes, hottest = (
            torch.stack(each).numpy() for each in zip(*heats, strict=True)
        )
        return {
            "pixels": np.stack([view.image for view in views]),
            "photos": np.array([self._number[id(photo)] for _, photo in crops]),
            "items": np.array([photo.item for _, photo in crops]),
            "colors": np.array([photo.color for _, photo in crops]),
            "kinds": np.stack([photo.kinds for _, photo in crops]),
            "garment": self._garment(np.stack([view.garment for view in views])),
            "heat": heat,
            "weight": weight,
            "boxes": boxes,
            "hottest": hottest,
        }

    def _draw(self, seed: int) -> tuple[list[tuple[View, Labeled]], list[View]]:
        """Crops with their photos, the catalog's first, and scenes."""
        r, phase = np.random.default_rng(seed), self._phase
        views = Views(self._backgrounds, phase.size, mixed_seed(seed, 1), self._things)
        crops = []
        for item in r.choice(list(self._of_item), phase.items, replace=False):
            photos = self._of_item[item]
            again = len(photos) < phase.photos_each
            for n in r.choice(len(photos), phase.photos_each, replace=again):
                crops.append((views.crop(photos[n]), photos[n]))
        for n in r.choice(len(self._shoppers), phase.shoppers, p=self._chance):
            crops.append((views.crop(self._shoppers[n]), self._shoppers[n]))
        return crops, [self._scene(r, views) for _ in range(phase.scenes)]

    def _scene(self, r: np.random.Generator, views: Views) -> View:
        draw = r.random()
        if draw < _OUTFITS and self._tops and self._bottoms:
            return views.outfit(_one(r, self._tops), _one(r, self._bottoms))
        if draw < _PAIRS and self._by_place:
            alike = self._by_place[int(r.integers(len(self._by_place)))]
            return views.scene([_one(r, alike), _one(r, self._shoppers)])
        if draw < _SHOPPERS:
            first = self._shoppers[int(r.choice(len(self._shoppers), p=self._chance))]
            both = [p for p in (first, _one(r, self._shoppers)) if p.cut_out is not None]
            return views.scene(both or [first])
        return views.empty()

    def _heat(self, view: View) -> tuple[torch.Tensor, ...]:
        size = self._phase.size
        places = [(place, _share(box, size)) for place, box in view.places]
        ignored = [(place, _share(box, size)) for place, box in view.ignored]
        return heat_of(places, ignored, len(PLACES), size // _CELL)

    def _garment(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        cells = self._phase.size // _FINE_CELL
        parts = views.reshape(len(views), cells, _FINE_CELL, cells, _FINE_CELL)
        unknown = (parts == UNKNOWN).mean(axis=(2, 4)) > _TOO_MANY_UNKNOWN
        share = (parts == 255).mean(axis=(2, 4))
        return np.where(unknown, -1, share)[:, None].astype(np.float32)


def as_batch(arrays: dict[str, NDArray[Any]]) -> Batch:
    """The arrays as tensors; pixels are normalized and have their channels first."""
    tensors = {name: torch.from_numpy(each) for name, each in arrays.items()}
    levels = tensors.pop("pixels").permute(0, 3, 1, 2).float()
    pixels = (levels - LEVEL) / DEVIATION
    return Batch(pixels=pixels, crops=len(tensors["items"]), **tensors)


def _share(box: Box, size: int) -> Box:
    """A box in pixels, as fractions of the square."""
    x0, y0, x1, y1 = (v / size for v in box)
    return (x0, y0, x1, y1)


def _one(random: np.random.Generator, photos: Sequence[Labeled]) -> Labeled:
    return photos[int(random.integers(len(photos)))]

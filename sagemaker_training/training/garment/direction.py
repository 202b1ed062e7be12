"""The garment direction: in which the vectors of garments lie, and those of other things do not.

A region's confidence is that of a small part of the network, which many things deceive. The vector
is of all that the trunk sees of what was cut out, so it is a second witness, fit to the photos that
the network was trained on: it was not trained for this.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.evaluation.composites import compose, cut_out, generator
from lens.models.embedder import Embedder
from lens.photos.catalog import Catalog
from lens.storage import open_storage
from training.garment.material import background, photos_in, read_things
from training.garment.pictures import read_photo
from training.garment.shopper_photos import training_photos
from training.garment.views import Views

_TIMES = 2  # each photo of the catalog, on another background
_EVERY = 2  # of the shoppers' photos
_EMPTY, _SIDE = 2400, 448  # scenes without a garment, and their sides in pixels
_PENALTY = 0.1  # on the squares of the weights, in deviations of the vectors
_STEPS = 25
_AT_ONCE = 64

_Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """What a network is trained on: a catalog, shoppers' photos, and scenes and things without."""

    data: Path
    shopper: Path
    scenes: Path | None = None
    things: Path | None = None

    def worn(self) -> Iterator[Image.Image]:
        """The catalog's garments on backgrounds, as a shopper would take them."""
        partition = Catalog(open_storage(self.data)).partition()
        grounds = self._grounds()
        for time in range(_TIMES):
            for key in (key for key, entry in partition.items() if entry.status == "train"):
                random = generator(f"direction {time} {key}")
                ground = grounds[int(random.integers(len(grounds)))]
                photo = cut_out(read_photo(self.data / key))
                yield compose(photo, Image.fromarray(ground), random).image

    def shopped(self) -> Iterator[Image.Image]:
        """Shoppers' photos of garments."""
        for photo in training_photos(self.shopper)[::_EVERY]:
            yield read_photo(self.shopper / photo.key)

    def empty(self) -> Iterator[Image.Image]:
        """Scenes without a garment; things are pasted into most as garments are."""
        views = Views(self._grounds(), _SIDE, 0, read_things(self.things))
        for _ in range(_EMPTY):
            yield Image.fromarray(views.empty().image)

    def _grounds(self) -> list[NDArray[np.uint8]]:
        surfaces = photos_in(self.shopper / "surfaces")[::2]
        scenes = photos_in(self.scenes) if self.scenes else []
        return [background(path) for path in (*scenes, *surfaces)]


def fit_direction(embedder: Embedder, examples: Examples) -> _Rows:
    """(D + 1,) float32: what a vector's numbers speak for a garment, in log odds; the last is an
    offset."""
    worn, shopped, empty = (
        _vectors(embedder, images)
        for images in (examples.worn(), examples.shopped(), examples.empty())
    )
    return direction_of([worn, shopped], empty)


def direction_of(garments: list[_Rows], others: _Rows) -> _Rows:
    """The direction that tells groups of garments' vectors, (A, D) each and each as weighty as the
    others, from (B, D) vectors of other things: a logistic regression with small weights."""
    rows = np.concatenate([*garments, others]).astype(np.float64)
    garment = np.arange(len(rows)) < len(rows) - len(others)
    share = np.concatenate(
        [
            *(np.full(len(each), 0.5 / len(garments) / len(each)) for each in garments),
            np.full(len(others), 0.5 / len(others)),
        ]
    )
    mean = share @ rows
    deviation = np.sqrt(share @ (rows - mean) ** 2) + 1e-6
    scaled = np.column_stack([(rows - mean) / deviation, np.ones(len(rows))])
    penalty = np.append(np.full(rows.shape[1], _PENALTY), 0.0)
    weights = np.zeros(scaled.shape[1])
    for _ in range(_STEPS):  # Newton's: the loss is convex, and the penalty keeps it well curved
        chance = 1 / (1 + np.exp(-(scaled @ weights)))
        slope = scaled.T @ (share * (chance - garment)) + penalty * weights
        curve = (scaled.T * (share * chance * (1 - chance))) @ scaled + np.diag(penalty)
        weights -= np.linalg.solve(curve, slope)
    direction = weights[:-1] / deviation
    return np.append(direction, weights[-1] - mean @ direction).astype(np.float32)


def _vectors(embedder: Embedder, images: Iterable[Image.Image]) -> _Rows:
    """(N, D): what stands for each image; a few are held at once."""
    waiting, found = iter(images), list[_Rows]()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while lot := list(islice(waiting, _AT_ONCE)):
            found.extend(pool.map(embedder.embed_main, lot))
    return np.stack(found)

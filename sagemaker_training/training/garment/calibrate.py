"""Calibrating: measures what a trained model's confidences and similarities are worth.

On photos that it was not trained on: of senders kept apart for this, and of no garment at all. Only
the direction of garments (direction.py) is fit to what it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.errors import UsageError
from lens.evaluation.composites import compose, cut_out, generator
from lens.gallery.match_thresholds import thresholds_of
from lens.models.calibration import Calibration, leaning_of, log_odds, write_calibration
from lens.models.embedder import Embedder, load_embedder
from lens.photos.catalog import Catalog
from lens.storage import open_storage
from training.garment.direction import Examples, fit_direction
from training.garment.material import photos_in
from training.garment.pictures import read_photo, reduced
from training.garment.shopper_photos import photos_of
from training.garment.views import Views

# Of photos without a garment, so many are taken for one.
FALSE_GARMENTS = 0.05
_SIDE = 1024  # pixels: of a photo as the page sends it
_EVERY = 3  # of the catalog's photos, how many are put on another background
_DRAWN, _DRAWN_SIDE = 200, 448  # scenes without garments, and their sides in pixels


def calibrate_model(
    artifacts: Path,
    model_id: str,
    data: Path,
    shopper: Path,
    scenes: Path | None = None,
    things: Path | None = None,
) -> Calibration:
    """Calibrate a run's model, and write that beside it.

    The direction of garments is fit to what the model was trained on, all thresholds to what it
    was not. data: a catalog with a partition file, of which the test part is taken for them.
    shopper: a folder of shoppers' photos, of which the senders for probes are, and the half of the
    surfaces and of the backgrounds that training leaves. scenes, things: as in training. Raises
    UsageError when they are too few.
    """
    storage = open_storage(artifacts)
    embedder = load_embedder(storage, model_id)
    partition = Catalog(open_storage(data)).partition()
    keys = [key for key, entry in partition.items() if entry.status != "train"]
    photos = [read_photo(data / key) for key in keys]
    surfaces = photos_in(shopper / "surfaces")[1::2]
    grounds = [*surfaces, *photos_in(shopper / "backgrounds")[::2]]
    if not keys or not surfaces:
        raise UsageError(f"{data} has no test part, or {shopper} no surfaces to calibrate with")
    shopped = []
    for place in range(0, len(keys), _EVERY):
        random = generator(f"calibrate {keys[place]}")
        ground = read_photo(surfaces[int(random.integers(len(surfaces)))])
        shopped.append((compose(cut_out(photos[place]), ground, random).image, place))
    direction = fit_direction(embedder, Examples(data, shopper, scenes, things))
    calibration, probes = calibrated(
        embedder,
        direction,
        catalog=photos,
        items=[partition[key].item_id for key in keys],
        shopped=shopped,
        strangers=(read_photo(shopper / photo.key) for photo in photos_of(shopper, "probes")),
        empty=_empty(grounds),
    )
    write_calibration(storage, model_id, calibration, probes, direction)
    return calibration


def _empty(grounds: Sequence[Path]) -> Iterator[Image.Image]:
    """Photos without a garment: as they are, and with things in them that are none."""
    pictures = [reduced(read_photo(path), _SIDE) for path in grounds]
    yield from pictures
    views = Views([np.asarray(picture) for picture in pictures], _DRAWN_SIDE, 0)
    for _ in range(_DRAWN):
        yield Image.fromarray(views.empty().image)


def calibrated(
    embedder: Embedder,
    direction: NDArray[np.float32],
    *,
    catalog: Sequence[Image.Image],
    items: Sequence[str],
    shopped: Sequence[tuple[Image.Image, int]],
    strangers: Iterable[Image.Image],
    empty: Iterable[Image.Image],
) -> tuple[Calibration, NDArray[np.float32]]:
    """A model's calibration and its probes, (P, D) float32.

    direction: (D + 1,), of garments. catalog, items: photos of a catalog that it was not trained
    on, and what they show. shopped: the same garments as a shopper would take them, each with its
    photo's place in the catalog. strangers: photos of garments that the catalog does not have.
    empty: photos without a garment.
    Raises UsageError when they are too few.
    """
    vectors = np.stack([embedder.embed_main(image) for image in catalog])
    probes = np.stack([embedder.embed_main(image) for image in strangers])
    names = np.array([item.encode() for item in items])
    loss = _loss(embedder, vectors, names, shopped)
    prior = thresholds_of(vectors, names, probes, loss)
    if prior is None:
        raise UsageError("there are too few photos to calibrate the model with")
    odds = np.array([_odds(embedder, image, direction) for image in empty])
    likely = float(np.quantile(odds, 1 - FALSE_GARMENTS))
    return (
        Calibration(
            garment_from=round(1 / (1 + math.exp(-likely)), 4),
            same=prior.same,
            very_similar=prior.very_similar,
            similar_style=prior.similar_style,
            loss=round(loss, 4),
        ),
        probes,
    )


def _odds(embedder: Embedder, image: Image.Image, direction: NDArray[np.float32]) -> float:
    """How surely a photo shows a garment, as a search adds it up, before any threshold."""
    regions = embedder.see(image)
    confidence = max((region.confidence for region in regions), default=0.0)
    return log_odds(confidence) + leaning_of(embedder.embed_main(image), direction)


def _loss(
    embedder: Embedder,
    vectors: NDArray[np.float32],
    items: NDArray[np.bytes_],
    shopped: Sequence[tuple[Image.Image, int]],
) -> float:
    """How much further a shopper's photo is from its item's other photos than the catalog's."""
    losses = []
    for image, place in shopped:
        others = items == items[place]
        others[place] = False
        if others.any():
            near = vectors[others]
            losses.append((near @ vectors[place]).max() - (near @ embedder.embed_main(image)).max())
    if not losses:
        raise UsageError("no item of the catalog has two photos: the loss cannot be measured")
    return max(0.0, float(np.median(losses)))

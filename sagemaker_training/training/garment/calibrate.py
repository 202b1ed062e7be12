"""Calibrating: measures what a trained model's confidences and similarities are worth.

On photos that it was not trained on: of senders kept apart for this, and of no garment at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.errors import UsageError
from lens.gallery.match_thresholds import thresholds_of
from lens.models.calibration import Calibration
from lens.models.embedder import Embedder

# Of photos without a garment, so many are taken for one.
FALSE_GARMENTS = 0.05


def calibrated(
    embedder: Embedder,
    *,
    catalog: Sequence[Image.Image],
    items: Sequence[str],
    shopped: Sequence[tuple[Image.Image, int]],
    strangers: Iterable[Image.Image],
    empty: Iterable[Image.Image],
) -> tuple[Calibration, NDArray[np.float32]]:
    """A model's calibration and its probes, (P, D) float32.

    catalog, items: photos of a catalog that it was not trained on, and what they show. shopped:
    the same garments as a shopper would take them, each with its photo's place in the catalog.
    strangers: photos of garments that the catalog does not have. empty: photos without a garment.
    Raises UsageError when they are too few.
    """
    vectors = np.stack([embedder.embed_main(image) for image in catalog])
    probes = np.stack([embedder.embed_main(image) for image in strangers])
    names = np.array([item.encode() for item in items])
    loss = _loss(embedder, vectors, names, shopped)
    prior = thresholds_of(vectors, names, probes, loss)
    if prior is None:
        raise UsageError("there are too few photos to calibrate the model with")
    confidences = np.array([_confidence(embedder, image) for image in empty])
    return (
        Calibration(
            garment_from=round(float(np.quantile(confidences, 1 - FALSE_GARMENTS)), 4),
            slope=1.0,
            same=prior.same,
            very_similar=prior.very_similar,
            similar_style=prior.similar_style,
            loss=round(loss, 4),
        ),
        probes,
    )


def _confidence(embedder: Embedder, image: Image.Image) -> float:
    return max((region.confidence for region in embedder.see(image)), default=0.0)


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

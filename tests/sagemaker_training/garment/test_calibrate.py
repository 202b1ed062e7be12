"""Calibrating: what a model of known confidences and similarities is measured to be worth."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lens.errors import UsageError
from lens.models.embedder import Embedder, load_embedder
from lens.storage import FileStorage
from tests.support.region_model import DOUBTED, UPPER, scene, write_region_model
from tests.support.tiny_model import DIM
from training.garment.calibrate import calibrated

ITEMS, EACH = 20, 3


@pytest.fixture
def embedder(tmp_path: Path) -> Embedder:
    storage = FileStorage(tmp_path)
    return load_embedder(storage, write_region_model(storage).model_id)


def catalog() -> list[Image.Image]:
    """Each item's photos are alike but for a line."""
    photos = []
    for item in range(ITEMS):
        for number in range(EACH):
            photo = scene(item, {})
            photo.paste("gray", (0, 8 * number, 64, 8 * number + 4))
            photos.append(photo)
    return photos


def shopped(strength: int) -> list[tuple[Image.Image, int]]:
    """The photos with a part of them hidden."""
    found = []
    for place, photo in enumerate(catalog()):
        photo.paste("black", (0, 0, strength, 64))
        found.append((photo, place))
    return found


NEITHER = np.zeros(DIM + 1, np.float32)  # a direction that says nothing
NAMES = [f"item {number // EACH}" for number in range(ITEMS * EACH)]
STRANGERS = [scene(1000 + number, {}) for number in range(120)]
EMPTY = [scene(2000 + number, {}) for number in range(18)] + [scene(7, {0: DOUBTED})] * 2


def test_one_in_twenty_photos_without_a_garment_passes_for_one(embedder: Embedder) -> None:
    found, probes = calibrated(
        embedder,
        NEITHER,
        catalog=catalog(),
        items=NAMES,
        shopped=shopped(8),
        strangers=STRANGERS,
        empty=EMPTY,
    )
    sure = embedder.see(scene(7, {0: DOUBTED}))[0].confidence
    assert 0 < found.garment_from <= round(sure, 4)
    assert found.similar_style <= found.very_similar <= found.same <= 1
    assert probes.shape == (120, embedder.manifest.embedding_dim)


def test_what_the_vector_says_is_added(embedder: Embedder) -> None:
    """An offset for or against garments moves the threshold by as many log odds."""
    froms = []
    for offset in (-1.0, 0.0, 1.0):
        direction = NEITHER.copy()
        direction[-1] = offset
        found, _ = calibrated(
            embedder,
            direction,
            catalog=catalog(),
            items=NAMES,
            shopped=shopped(8),
            strangers=STRANGERS,
            empty=EMPTY,
        )
        froms.append(math.log(found.garment_from / (1 - found.garment_from)))
    assert froms[1] - froms[0] == pytest.approx(1, abs=0.01)
    assert froms[2] - froms[1] == pytest.approx(1, abs=0.01)


def test_the_more_a_shopper_changes_the_more_is_lost(embedder: Embedder) -> None:
    losses = []
    for strength in (0, 16, 48):
        found, _ = calibrated(
            embedder,
            NEITHER,
            catalog=catalog(),
            items=NAMES,
            shopped=shopped(strength),
            strangers=STRANGERS,
            empty=EMPTY,
        )
        losses.append(found.loss)
    assert losses == sorted(losses)
    assert losses[0] == 0 < losses[-1]


def test_too_few_photos_are_refused(embedder: Embedder) -> None:
    few = {"catalog": catalog(), "items": NAMES, "shopped": shopped(8), "empty": EMPTY}
    with pytest.raises(UsageError, match="too few"):
        calibrated(embedder, NEITHER, strangers=[scene(1, {0: UPPER})], **few)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no item of the catalog has two photos"):
        calibrated(
            embedder,
            NEITHER,
            catalog=catalog(),
            items=[str(n) for n in range(ITEMS * EACH)],
            shopped=shopped(8),
            strangers=STRANGERS,
            empty=EMPTY,
        )

"""Shares: they sum up to the vector, lie where the photo has them, and cost nothing unasked."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from lens.models.embedder import Embedder, load_embedder
from lens.models.shares import shares_in, shares_key, strongest
from lens.storage import FileStorage
from tests.support.region_model import LOWER, UPPER, scene, write_region_model
from tests.support.shares_model import write_shares_model


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "artifacts")


@pytest.fixture
def embedder(storage: FileStorage) -> Embedder:
    return load_embedder(storage, write_shares_model(storage).model_id)


def test_the_shares_of_all_places_sum_up_to_the_vector(embedder: Embedder) -> None:
    image = scene(1, {0: UPPER, 3: LOWER})
    vector, shares = embedder.embed_with_shares(image)
    assert shares is not None and shares.places.shape == (2, 2, 8)
    np.testing.assert_allclose(shares.places.sum(axis=(0, 1)), vector, atol=1e-6)
    other = embedder.embed(scene(2, {1: UPPER}))
    assert shares.toward(other).sum() == pytest.approx(float(vector @ other), abs=1e-6)


def test_the_vector_is_the_same_with_and_without_shares(embedder: Embedder, tmp_path: Path) -> None:
    plain = FileStorage(tmp_path / "plain")
    without = load_embedder(plain, write_region_model(plain).model_id)
    assert embedder.tells_shares and not without.tells_shares
    image, box = scene(1, {0: UPPER}), (0.1, 0.2, 0.9, 0.7)
    vector, shares = embedder.embed_with_shares(image, box)
    same, none = without.embed_with_shares(image, box)
    assert shares is not None and none is None
    for each in (same, embedder.embed(image, box), without.embed(image, box)):
        np.testing.assert_array_equal(each, vector)
    assert embedder.overview(image).regions == without.overview(image).regions


def test_a_model_whose_file_is_damaged_goes_on_without(
    storage: FileStorage, caplog: pytest.LogCaptureFixture
) -> None:
    model_id = write_shares_model(storage).model_id
    storage.write(shares_key(model_id), b"no message of protocol buffers")
    with caplog.at_level(logging.WARNING):
        assert not load_embedder(storage, model_id).tells_shares
    assert "why a hit was found is not told" in caplog.text


def test_the_places_of_a_part_cover_it_and_leave_out_what_pads_it() -> None:
    """A part of 200 x 400 in a photo of 1,000 x 800: half of the square is padding."""
    square = np.arange(8 * 8, dtype=np.float32).reshape(8, 8, 1)
    shares = shares_in(square, (300, 100, 500, 500), (1000, 800))
    np.testing.assert_array_equal(shares.places, square[:, 2:6])
    assert shares.box == pytest.approx((0.3, 0.125, 0.5, 0.625))


def test_a_place_that_the_part_only_touches_is_kept_whole() -> None:
    shares = shares_in(np.zeros((7, 7, 1), np.float32), (0, 0, 70, 40), (70, 40))
    assert shares.places.shape == (5, 7, 1)
    assert shares.box == pytest.approx((0, -0.125, 1, 1.125))


def test_the_strongest_are_a_fifth_and_at_least_one() -> None:
    found = np.array([[0.1, 0.9], [0.3, -0.5]], np.float32)
    assert strongest(found).tolist() == [[False, True], [False, False]]
    assert strongest(np.arange(25, dtype=np.float32).reshape(5, 5)).sum() == 5

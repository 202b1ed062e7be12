"""The garment direction: what tells garments' vectors from others, each group as weighty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lens.models.calibration import leaning_of
from lens.models.embedder import load_embedder
from lens.photos.catalog import Catalog
from lens.storage import FileStorage
from tests.sagemaker_training.garment.drawn import draw_catalog, draw_shoppers
from tests.support.region_model import write_region_model
from training.garment import direction
from training.garment.direction import Examples, direction_of, fit_direction

DIM = 6
RANDOM = np.random.default_rng(0)


def around(place: list[float], number: int) -> NDArray[np.float32]:
    """Unit vectors around a place, (number, DIM) float32."""
    rows = np.array(place) + RANDOM.normal(0, 0.3, (number, DIM))
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32)


WORN, LYING, OTHER = [1.0, 0, 1, 0, 0, 0], [1.0, 0, 0, 1, 0, 0], [-1.0, 0, 0, 0, 1, 0]


def test_it_tells_garments_from_others_that_it_has_not_seen() -> None:
    found = direction_of([around(WORN, 200), around(LYING, 200)], around(OTHER, 300))
    assert found.shape == (DIM + 1,)
    assert found.dtype == np.float32
    for place in (WORN, LYING):
        assert all(leaning_of(row, found) > 0 for row in around(place, 50))
    assert all(leaning_of(row, found) < 0 for row in around(OTHER, 50))


def test_a_group_of_few_is_as_weighty_as_one_of_many() -> None:
    few, many, others = around(WORN, 20), around(LYING, 2000), around(OTHER, 300)
    found = direction_of([few, many], others)
    repeated = direction_of([np.repeat(few, 100, axis=0), many], others)
    np.testing.assert_allclose(found, repeated, atol=0.02)


def test_its_log_odds_are_of_as_many_garments_as_others() -> None:
    """Where nothing can be told, nothing is said."""
    same = around(WORN, 500)
    found = direction_of([same], same)
    assert [leaning_of(row, found) for row in same[:5]] == pytest.approx([0] * 5, abs=1e-3)


def test_it_is_fit_to_what_was_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direction, "_EMPTY", 12)
    things = tmp_path / "things"
    things.mkdir()
    thing = Image.new("RGBA", (40, 40), (200, 30, 30, 255))
    thing.putpixel((0, 0), (0, 0, 0, 0))
    thing.save(things / "thing.png")
    draw_catalog(tmp_path / "catalog", train=3, test=1)
    draw_shoppers(tmp_path / "shopper")
    examples = Examples(tmp_path / "catalog", tmp_path / "shopper", None, things)
    trained_on = Catalog(FileStorage(tmp_path / "catalog")).partition().values()
    assert len(list(examples.worn())) == 2 * sum(each.status == "train" for each in trained_on)
    assert list(examples.shopped())
    assert len(list(examples.empty())) == 12
    storage = FileStorage(tmp_path / "artifacts")
    embedder = load_embedder(storage, write_region_model(storage).model_id)
    found = fit_direction(embedder, examples)
    assert found.shape == (embedder.manifest.embedding_dim + 1,)
    np.testing.assert_array_equal(found, fit_direction(embedder, examples))

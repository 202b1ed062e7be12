"""The default model: a seeded projection, then one fit, then never again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lens.default_model.choosing import ENOUGH_PHOTOS, suitable_model
from lens.gallery.current import Current, swap_current
from lens.models.manifest import read_manifest
from lens.photos.catalog import Catalog
from lens.settings import Limits
from lens.storage import Storage, open_storage

pytestmark = pytest.mark.slow


def add_photos(catalog: Storage, numbers: range) -> None:
    for number in numbers:
        pixels = np.random.default_rng(number).integers(0, 255, (4, 4, 3), dtype=np.uint8)
        out = BytesIO()
        Image.fromarray(pixels).resize((32, 32)).save(out, "PNG")
        catalog.write(f"{number:04}.png", out.getvalue())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    storage = open_storage(tmp_path_factory.mktemp("shop"))
    add_photos(storage, range(ENOUGH_PHOTOS))
    return storage


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def artifacts(tmp_path: Path) -> Storage:
    return open_storage(tmp_path / "artifacts")


def make_live(artifacts: Storage, model_id: str) -> None:
    swap_current(artifacts, lambda _: Current(live=model_id))


def test_a_small_catalog_gets_a_projection_that_needs_no_photos(
    tmp_path: Path, artifacts: Storage, executor: ThreadPoolExecutor
) -> None:
    catalog = open_storage(tmp_path / "catalog")
    add_photos(catalog, range(3))
    model_id = suitable_model(Catalog(catalog), artifacts, executor, Limits())
    assert model_id is not None
    assert read_manifest(artifacts, model_id).head.kind == "orthogonal"
    make_live(artifacts, model_id)
    assert suitable_model(Catalog(catalog), artifacts, executor, Limits()) is None


def test_enough_photos_get_a_head_that_is_fit_once_and_frozen(
    shop: Storage, artifacts: Storage, executor: ThreadPoolExecutor
) -> None:
    model_id = suitable_model(Catalog(shop), artifacts, executor, Limits())
    assert model_id is not None
    head = read_manifest(artifacts, model_id).head
    assert (head.kind, head.fit_on) == ("pca", ENOUGH_PHOTOS)
    make_live(artifacts, model_id)
    assert suitable_model(Catalog(shop), artifacts, executor, Limits()) is None


def test_a_projection_gives_way_once_there_are_enough_photos(
    shop: Storage, tmp_path: Path, artifacts: Storage, executor: ThreadPoolExecutor
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    projection = suitable_model(Catalog(open_storage(empty)), artifacts, executor, Limits())
    assert projection is not None
    make_live(artifacts, projection)
    fitted = suitable_model(Catalog(shop), artifacts, executor, Limits())
    assert fitted not in (None, projection)


def test_the_same_photos_give_the_same_model(
    shop: Storage, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    places = [open_storage(tmp_path / name) for name in ("one", "two")]
    one, two = (suitable_model(Catalog(shop), place, executor, Limits()) for place in places)
    assert one == two


def test_photos_that_cannot_be_used_do_not_count(
    tmp_path: Path, artifacts: Storage, executor: ThreadPoolExecutor
) -> None:
    catalog = open_storage(tmp_path / "catalog")
    add_photos(catalog, range(ENOUGH_PHOTOS - 1))
    catalog.write("broken.jpg", b"not a photo")
    model_id = suitable_model(Catalog(catalog), artifacts, executor, Limits())
    assert model_id is not None
    assert read_manifest(artifacts, model_id).head.kind == "orthogonal"

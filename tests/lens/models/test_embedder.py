"""The embedder: a photo's vector, of the whole or a box of it, and the regions that it sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

from lens.errors import ArtifactError
from lens.models.embedder import Embedder, load_embedder
from lens.models.manifest import ModelManifest
from lens.models.regions import pixels_of
from lens.storage import FileStorage
from tests.support.region_model import (
    DOUBTED,
    LOWER,
    QUARTERS,
    UPPER,
    region_graph,
    scene,
    write_region_model,
)
from tests.support.tiny_model import write_tiny_model


@pytest.fixture
def manifest(tmp_path: Path) -> ModelManifest:
    return write_region_model(FileStorage(tmp_path))


@pytest.fixture
def embedder(manifest: ModelManifest) -> Embedder:
    return Embedder(manifest, region_graph())


@pytest.fixture
def blind(tmp_path: Path) -> Embedder:
    """An embedder of a model that sees no regions, and embeds as the one that does."""
    storage = FileStorage(tmp_path)
    return load_embedder(storage, write_tiny_model(storage).model_id)


def test_a_model_with_boxes_tells_the_garments_and_one_without_tells_none(
    embedder: Embedder, blind: Embedder
) -> None:
    photo = scene(1, {0: UPPER, 3: LOWER})
    seen = {region.kind: region for region in embedder.see(photo)}
    assert {kind: region.box for kind, region in seen.items()} == {
        "upper": QUARTERS[0],
        "lower": QUARTERS[3],
    }
    assert all(region.confidence > 0.9 for region in seen.values())
    assert blind.see(photo) == ()
    assert embedder.see(scene(1, {})) == ()


def test_boxes_are_of_the_photo_whatever_its_shape(embedder: Embedder) -> None:
    wide = scene(1, {0: UPPER, 2: UPPER}, (64, 48))
    left = {region.box for region in embedder.see(wide)}
    assert left == {(0.0, 0.0, 0.5, 0.5), (0.0, 0.5, 0.5, 1.0)}


def test_a_box_s_vector_is_that_of_the_photo_cut_to_it(embedder: Embedder) -> None:
    photo = scene(1, {0: UPPER})
    cut = photo.crop(pixels_of(QUARTERS[0], photo.size))
    assert cut.size == (34, 34)
    np.testing.assert_array_equal(embedder.embed(photo, QUARTERS[0]), embedder.embed(cut))
    whole = (0.0, 0.0, 1.0, 1.0)
    np.testing.assert_array_equal(embedder.embed(photo, whole), embedder.embed(photo))


def test_the_main_region_s_vector_stands_for_the_photo(embedder: Embedder) -> None:
    photo = scene(1, {0: UPPER})
    np.testing.assert_array_equal(embedder.embed_main(photo), embedder.embed(photo, QUARTERS[0]))


@pytest.mark.parametrize(
    "photo",
    [scene(1, {}), scene(1, {0: DOUBTED}), Image.new("RGB", (64, 64), "white")],
    ids=["no garment", "one in doubt", "blank"],
)
def test_the_whole_stands_for_a_photo_without_a_sure_garment(
    embedder: Embedder, photo: Image.Image
) -> None:
    np.testing.assert_array_equal(embedder.embed_main(photo), embedder.embed(photo))


def test_a_model_that_sees_no_regions_embeds_whole_photos(blind: Embedder) -> None:
    photo = scene(1, {0: UPPER})
    np.testing.assert_array_equal(blind.embed_main(photo), blind.embed(photo))


def test_one_run_gives_the_whole_photo_s_vector_and_its_regions(
    embedder: Embedder, blind: Embedder
) -> None:
    photo = scene(1, {0: UPPER})
    overview = embedder.overview(photo)
    np.testing.assert_array_equal(overview.vector, blind.embed(photo))
    assert overview.regions == embedder.see(photo)


def test_a_network_with_boxes_and_no_scores_is_refused(manifest: ModelManifest) -> None:
    model = onnx.load_from_string(region_graph())
    del model.graph.output[2]
    with pytest.raises(ArtifactError, match="regions need"):
        Embedder(manifest, model.SerializeToString())


@pytest.mark.parametrize(
    ("fault", "shapes"),
    [
        ("boxes of five numbers", {"nowhere": (5, 5), "quarters": (4, 5)}),
        ("scores of four kinds", {"purities": (3, 4), "doubt": (4,), "nowhere": (4, 4)}),
    ],
)
def test_a_network_whose_regions_do_not_fit_is_refused(
    manifest: ModelManifest, fault: str, shapes: dict[str, tuple[int, ...]]
) -> None:
    model = onnx.load_from_string(region_graph())
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    for constant in model.graph.initializer:
        if constant.name in shapes:
            zeros = np.zeros(shapes[constant.name], np.float32)
            constant.CopyFrom(numpy_helper.from_array(zeros, constant.name))
    with pytest.raises(ArtifactError, match="regions need"):
        Embedder(manifest, model.SerializeToString())

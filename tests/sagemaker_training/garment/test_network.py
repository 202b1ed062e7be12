"""The garment network: what its outputs are, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from tests.sagemaker_training.garment.small import SIZE, small_network
from training.garment.labels import PLACES
from training.garment.network import TRUNK_MAPS, GarmentNetwork, _boxes
from training.network.lite0 import Lite0


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def _pixels(count: int = 2, size: int = SIZE) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_outputs_have_the_shapes_that_serving_reads() -> None:
    embedding, boxes, scores = small_network()(_pixels(3, 96))
    cells = (96 // 16) ** 2
    assert embedding.shape == (3, 10) and boxes.shape == (3, cells, 4)
    assert scores.shape == (3, cells, len(PLACES))
    assert torch.allclose(embedding.norm(dim=1), torch.ones(3), atol=1e-5)
    assert scores.min() > 0 and scores.max() < 1


def test_before_training_a_garment_is_unlikely_anywhere_and_boxes_are_around_their_cells() -> None:
    torch.manual_seed(0)
    network = GarmentNetwork(Lite0(), kinds=5)
    _, boxes, scores = network(_pixels())
    assert scores.median() == pytest.approx(0.01, rel=0.5)
    side = SIZE // 16
    for cell, box in enumerate(boxes[0]):
        row, column = divmod(cell, side)
        middle = [(column + 0.5) / side, (row + 0.5) / side]
        assert ((box[:2] + box[2:]) / 2).tolist() == pytest.approx(middle, abs=1e-5)


def test_boxes_are_cell_by_cell_the_distances_from_the_cell_s_center() -> None:
    sides = torch.rand(1, 3, 3, 4, generator=torch.Generator().manual_seed(1)) * 2
    boxes = _boxes(sides)[0]
    for row in range(3):
        for column in range(3):
            left, up, right, down = (v / 3 for v in sides[0, row, column].tolist())
            x, y = (column + 0.5) / 3, (row + 0.5) / 3
            expected = [x - left, y - up, x + right, y + down]
            assert boxes[row, column].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_trunk_s_maps_have_the_strides_that_they_are_named_by() -> None:
    for stride, found in zip(TRUNK_MAPS, small_network().maps(_pixels()), strict=True):
        assert found.shape[2:] == (SIZE // stride, SIZE // stride)


def test_with_all_of_it_garment_the_features_are_those_of_the_trunk() -> None:
    """The generalized mean of training.network.lite0, weighted alike everywhere."""
    network, pixels = small_network(), _pixels()
    everything = torch.ones(2, 1, SIZE // 8, SIZE // 8)
    features, colors = network.features(pixels, network.maps(pixels)[2], everything)
    assert torch.allclose(features, network.trunk(pixels), atol=1e-5)
    assert torch.allclose(colors.norm(dim=1), torch.ones(2), atol=1e-5)


def test_features_are_a_mean_that_counts_where_garment_is() -> None:
    network = small_network()
    at32 = torch.rand(1, 320, 2, 2, generator=torch.Generator().manual_seed(2))
    garment = torch.zeros(1, 1, 8, 8)
    garment[..., :4, :4] = 1  # the first of the four cells
    garment[..., :4, 4:6] = 1  # and half of the second
    found, _ = network.features(_pixels(1), at32, garment)
    top = torch.relu(network.trunk.top(at32)).clamp(max=6)[0].flatten(1).double().numpy()
    weights = np.array([1.05, 0.55, 0.05, 0.05])
    mean = ((top**3 * weights).sum(axis=1) / weights.sum()).clip(1e-18) ** (1 / 3)
    assert np.abs(found[0].numpy() - mean / np.linalg.norm(mean)).max() < 1e-5


def test_the_color_part_is_shorter_than_the_shape_part_by_its_weight() -> None:
    network = small_network()
    embedding, *_ = network(_pixels())
    shape, color = embedding[:, :6].norm(dim=1), embedding[:, 6:].norm(dim=1)
    assert torch.allclose(color / shape, torch.full((2,), network.color_weight), atol=1e-5)

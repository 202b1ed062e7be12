"""Export: the graph gives what torch gives, for any number of photos, and tells of no machine."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.errors import ArtifactError
from lens.models.embedder import Embedder, Network
from lens.models.manifest import HeadInfo, ModelManifest, Variant
from tests.sagemaker_training.export.graph_texts import tells_of_machine
from tests.sagemaker_training.garment.small import SIZE, small_network
from training.garment.export import check_parity, export_garment
from training.network.lite0 import lite0_preprocessing

pytestmark = pytest.mark.slow  # torch's exporter takes its time


@pytest.fixture(scope="module")
def graph() -> bytes:
    return export_garment(small_network(), SIZE)


def _pixels(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).uniform(-1, 1, (count, 3, SIZE, SIZE)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 3])
def test_the_graph_gives_what_torch_gives_for_any_number_of_photos(
    graph: bytes, count: int
) -> None:
    assert check_parity(small_network(), graph, _pixels(count)) > 0.99999


def test_the_embedding_is_the_first_output_and_the_number_of_photos_is_open(graph: bytes) -> None:
    network = Network(graph, "small")
    cells = (SIZE // 16) ** 2
    assert list(network.outputs) == ["embedding", "boxes", "scores"]
    shapes = [shape[1:] for shape in network.outputs.values()]
    assert shapes == [[10], [cells, 4], [cells, 5]]
    pixels, embedding = network.shapes
    assert pixels == ["N", 3, SIZE, SIZE] and embedding[0] == "N"
    assert network.run(_pixels(2)).shape == (2, 10)
    (given,) = onnx.load_from_string(graph).graph.input
    assert given.name == "pixels" and given.type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_serving_takes_the_graph_as_one_that_sees_regions(graph: bytes) -> None:
    manifest = ModelManifest(
        model_id="small",
        backbone="small",
        embedding_dim=10,
        preprocessing=lite0_preprocessing(SIZE),
        head=HeadInfo(kind="trained"),
        variants={"fp32": Variant(file="model.onnx", sha256="")},
    )
    assert Embedder(manifest, graph)._sees_regions


def test_a_graph_tells_nothing_of_the_machine_that_wrote_it(graph: bytes) -> None:
    assert tells_of_machine(graph) == []
    assert tells_of_machine(graph + b"File /home/me/training/network.py, line 3") != []


def test_the_same_network_gives_the_same_bytes(graph: bytes) -> None:
    network = small_network()
    network.train()
    assert export_garment(network, SIZE) == graph
    assert network.training and next(network.parameters()).requires_grad  # and stays as it was


def test_a_graph_of_another_network_is_not_delivered(graph: bytes) -> None:
    with pytest.raises(ArtifactError, match="differs from the trained one"):
        check_parity(small_network(seed=1), graph, _pixels(2))

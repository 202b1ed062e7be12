"""Shares: what a garment network's graph goes on with gives what its places add."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.default_model.shipped import FOLDER
from lens.errors import ArtifactError
from lens.models.embedder import Network
from lens.models.shares import ASKED, FILE, OUTPUT
from tests.sagemaker_training.garment.small import SIZE, small_network
from tests.support.tiny_model import tiny_graph
from training.export.shares_graph import shares_of
from training.garment.export import export_garment


def test_the_shipped_model_s_shares_are_made_of_its_graph() -> None:
    made = shares_of((FOLDER / "model.onnx").read_bytes())
    assert (FOLDER / FILE).read_bytes() == made


def test_a_graph_of_another_kind_is_refused() -> None:
    with pytest.raises(ArtifactError, match="this is no garment network"):
        shares_of(tiny_graph())


@pytest.mark.slow
def test_the_shares_of_a_new_network_sum_up_to_its_embedding_less_its_constants() -> None:
    network = small_network()
    network.shape.bias.data.zero_()
    network.color.bias.data.zero_()
    graph = export_garment(network, SIZE)
    more = shares_of(graph)
    assert onnx.load_from_string(more).ir_version == 0  # nothing of the network's is replaced
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 3, SIZE, SIZE)).astype(np.float32)
    found = Network(graph + more, "small").run_all(pixels, asked=ASKED)
    assert found[OUTPUT].shape == (2, SIZE // 32, SIZE // 32, 10)
    np.testing.assert_allclose(found[OUTPUT].sum(axis=(1, 2)), found["embedding"], atol=1e-5)
    np.testing.assert_array_equal(found["embedding"], Network(graph, "small").run(pixels))

"""Weights that stay in a graph's file: the same numbers, and damage that is told."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
import onnx.external_data_helper
import onnx.numpy_helper
import pytest

from lens.default_model.shipped import FOLDER
from lens.errors import ArtifactError
from lens.models.embedder import Network, load_embedder
from lens.models.external_weights import graph_without_weights
from lens.models.manifest import manifest_key
from lens.storage import FileStorage
from tests.support.tiny_model import SIDE, tiny_graph, write_tiny_model


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some model.onnx"
    path.write_bytes(tiny_graph())
    return path


def test_a_graph_without_its_weights_computes_the_same(file: Path) -> None:
    pixels = np.random.default_rng(0).standard_normal((2, 3, SIDE, SIDE)).astype(np.float32)
    graph = graph_without_weights(file)
    assert len(graph) < len(tiny_graph()) - 4 * 3 * SIDE * SIDE * 8 + 200
    expected = Network(tiny_graph(), "whole").run(pixels)
    found = Network(graph, "without", weights=file.parent)
    file.unlink()
    assert np.array_equal(found.run(pixels), expected)


def test_every_tensor_of_a_real_graph_is_where_the_graph_says(tmp_path: Path) -> None:
    whole = (FOLDER / "model.onnx").read_bytes()
    (tmp_path / "real.onnx").write_bytes(whole)
    found = onnx.load_from_string(graph_without_weights(tmp_path / "real.onnx"))
    outside = [
        tensor
        for tensor in found.graph.initializer
        if onnx.external_data_helper.uses_external_data(tensor)
    ]
    assert len(outside) > 20
    onnx.external_data_helper.load_external_data_for_model(found, str(tmp_path))
    expected = onnx.load_from_string(whole)
    for one, other in zip(found.graph.initializer, expected.graph.initializer, strict=True):
        assert one.name == other.name
        assert np.array_equal(onnx.numpy_helper.to_array(one), onnx.numpy_helper.to_array(other))
    del found.graph.initializer[:], expected.graph.initializer[:]
    assert found.SerializeToString() == expected.SerializeToString()


def test_numbers_that_are_not_raw_stay_in_the_graph(tmp_path: Path) -> None:
    model = onnx.load_from_string(tiny_graph())
    (weights,) = model.graph.initializer
    values = onnx.numpy_helper.to_array(weights)
    del model.graph.initializer[:]
    model.graph.initializer.append(
        onnx.helper.make_tensor("weights", onnx.TensorProto.FLOAT, values.shape, values.ravel())
    )
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert onnx.load_from_string(graph_without_weights(tmp_path / "model.onnx")) == model


def test_a_file_that_is_no_model_is_refused(file: Path) -> None:
    whole, chance = file.read_bytes(), random.Random(0)
    damaged = [b"", b"\xff", b"no model at all", whole[: len(whole) // 2], whole[:-1]]
    damaged += [chance.randbytes(5_000) for _ in range(20)]
    for data in damaged:
        file.write_bytes(data)
        with pytest.raises((ValueError, IndexError, ArtifactError)):
            Network(graph_without_weights(file), "damaged", weights=file.parent)


def test_a_model_that_does_not_fit_its_manifest_is_refused_without_being_tried(
    tmp_path: Path,
) -> None:
    storage = FileStorage(tmp_path)
    manifest = write_tiny_model(storage)
    assert load_embedder(storage, manifest.model_id).manifest == manifest
    for change in (
        {"embedding_dim": 9},
        {"preprocessing": manifest.preprocessing.model_copy(update={"size": 16})},
    ):
        changed = manifest.model_copy(update=change).model_dump_json()
        storage.write(manifest_key(manifest.model_id), changed.encode())
        with pytest.raises(ArtifactError, match="its manifest says"):
            load_embedder(storage, manifest.model_id)

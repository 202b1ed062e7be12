"""The ViT's graph and its linear layers in every precision, against torch.

Covers: dinov2_graph, graph_builder, linears.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.models.embedder import Network
from tests.sagemaker_training.small_models import SIZE, save_dinov2, small_model, small_recipe
from training.export.dinov2_graph import can_build
from training.export.onnx_export import export_onnx, export_precisions
from training.network.embedding_model import LITE0, EmbeddingModel

pytestmark = pytest.mark.slow

Pixels = NDArray[np.float32]


def _pixels(count: int = 5) -> Pixels:
    return np.random.default_rng(0).normal(size=(count, 3, SIZE, SIZE)).astype(np.float32)


def _pixels_on_white(model: EmbeddingModel) -> Pixels:
    """Photos whose blank patches are none, each one, several, and all."""
    levels = np.random.default_rng(0).integers(0, 245, (8, 3, SIZE, SIZE))
    for photo, patches in enumerate([[], [0], [1], [2], [3], [0, 3], [0, 1, 2], [0, 1, 2, 3]]):
        for patch in patches:
            row, column = 14 * (patch // 2), 14 * (patch % 2)
            levels[photo, :, row : row + 14, column : column + 14] = 250
    pixels: Pixels = model.normalized(torch.from_numpy(levels)).numpy()
    return pixels


def _model(backbone: str, **changes: object) -> EmbeddingModel:
    """A small DINOv2 whose every parameter differs from its neutral start."""
    model = small_model(small_recipe(backbone, **changes))
    model.eval()
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def _by_torch(model: EmbeddingModel, pixels: Pixels) -> Pixels:
    with torch.no_grad():
        found: Pixels = model(torch.from_numpy(pixels)).numpy()
    return found


@pytest.mark.parametrize("changes", [{}, {"color_dim": 3}, {"color_dim": 3, "tuning": "lora"}])
def test_fp32_gives_the_numbers_of_torch_for_any_number_of_photos(
    backbone: str, changes: dict[str, object]
) -> None:
    model = _model(backbone, **changes)
    assert can_build(model)
    network = Network(export_onnx(model), "fp32")
    for count in (1, 2, 5):
        pixels = _pixels(count)
        # Colors are counted by powers, whose last bits the two write differently.
        most = 2e-5 if "color_dim" in changes else 2e-6
        assert np.abs(network.run(pixels) - _by_torch(model, pixels)).max() < most


@pytest.mark.parametrize("color_dim", [0, 3])
def test_blank_patches_are_left_out_of_one_photo_as_of_a_batch(
    backbone: str, color_dim: int
) -> None:
    model = _model(backbone, blank_from=245, color_dim=color_dim)
    pixels = _pixels_on_white(model)
    expected = _by_torch(model, pixels)
    network = Network(export_onnx(model), "fp32")
    assert network.shapes == ([1, 3, SIZE, SIZE], [1, 8])
    found = np.concatenate([network.run(photo[None]) for photo in pixels])
    assert np.abs(found - expected).max() < (2e-5 if color_dim else 2e-6)
    seeing_all = _by_torch(_model(backbone, blank_from=256, color_dim=color_dim), pixels)
    assert np.abs(expected - seeing_all).max(axis=1).argmin() == 0  # the photo without a blank
    assert np.abs(expected[0] - seeing_all[0]).max() < 2e-6
    assert np.abs(expected[1:] - seeing_all[1:]).max(axis=1).min() > 1e-3


def test_the_precisions_come_fastest_first_and_stay_close_to_torch(tmp_path: Path) -> None:
    model, pixels = _model(save_dinov2(tmp_path / "four", blocks=4)), _pixels()
    graphs = export_precisions(model)
    assert list(graphs) == [
        *("int8-merged", "int7-merged", "int8", "int7", "int8-safe", "int8-weights"),
        *("fp32-merged", "fp32"),
    ]
    assert graphs["fp32"] == export_onnx(model)
    expected = _by_torch(model, pixels)
    for name, graph in graphs.items():
        network = Network(graph, name)
        found = np.concatenate([network.run(photo[None]) for photo in pixels])
        cosines = (found * expected).sum(axis=1)
        assert cosines.min() > 0.99, name
        # In 8 bits something is lost: it is not fp32 under another name. (Nothing merges here.)
        assert name.startswith("fp32") == bool(np.abs(found - expected).max() < 2e-6)


def test_weights_of_7_bits_cannot_overflow_16_where_two_products_are_added(backbone: str) -> None:
    graphs = export_precisions(_model(backbone))
    for name, levels in (("int8", 127), ("int7", 63)):
        tensors = onnx.load_from_string(graphs[name]).graph.initializer
        weights = [numpy_helper.to_array(each) for each in tensors if each.data_type == 3]
        assert {int(np.abs(each).max()) for each in weights} == {levels}, name
    assert 2 * 255 * 63 < 2**15 < 2 * 255 * 127
    pixels = _pixels()
    with_them, without = (
        np.concatenate(
            [Network(graphs["int7"], "int7", overflows=may).run(photo[None]) for photo in pixels]
        )
        for may in (False, True)
    )
    assert np.array_equal(with_them, without), "the fast products give the same numbers"


def test_the_safe_form_keeps_the_first_two_blocks_in_fp32(tmp_path: Path) -> None:
    model = _model(save_dinov2(tmp_path / "four", blocks=4))
    graph = onnx.load_from_string(export_precisions(model)["int8-safe"]).graph
    in_8_bits = {tensor.name for tensor in graph.initializer if tensor.data_type == 3}
    assert {name.partition(".")[0] for name in in_8_bits} == {"block2", "block3"}


def test_a_vision_transformer_s_last_block_has_one_query(backbone: str) -> None:
    graphs = export_precisions(_model(backbone))
    for graph in graphs.values():
        nodes = onnx.load_from_string(graph).graph.node
        attentions = [node for node in nodes if node.op_type == "MultiHeadAttention"]
        queries = [_producer(nodes, node.input[0], "Slice") for node in attentions]
        keys = [_producer(nodes, node.input[1], "Slice") for node in attentions]
        assert queries == [False, True] and keys == [False, False]


def _producer(nodes: list[onnx.NodeProto], name: str, operator: str) -> bool:
    """Whether an operator of this kind lies between a value and the normalization before it."""
    by_output = {output: node for node in nodes for output in node.output}
    node = by_output[name]
    while node.op_type != "LayerNormalization":
        if node.op_type == operator:
            return True
        node = by_output[node.input[0]]
    return False


def test_the_same_model_is_the_same_bytes(backbone: str) -> None:
    model = _model(backbone, color_dim=3)
    assert export_precisions(model) == export_precisions(model)


def test_other_backbones_have_fp32_alone(tmp_path: Path) -> None:
    model = small_model(small_recipe(LITE0, size=32))
    assert not can_build(model)
    assert list(export_precisions(model)) == ["fp32"]


def test_a_gated_mlp_is_left_to_torch_s_exporter(backbone: str) -> None:
    model = _model(backbone)
    model.shape.backbone.model.config.use_swiglu_ffn = True
    assert not can_build(model)

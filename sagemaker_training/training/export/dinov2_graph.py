"""The ONNX graph of a DINOv2 model, written from its weights with ONNX Runtime's fast operators.

It computes the same as EmbeddingModel with a vit.VisionTransformer, its twin in torch; the test
that holds the two equal is tests/sagemaker_training/export/test_dinov2_graph.py. Attention is one
operator. LayerScale is multiplied into the linear layers before it, and the bias of the patch
embedding is added to the positions. Blank patches are skipped, and the last block computes only the
CLS token's row. Attention, normalizations and heads are float32 in every precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.export.color_graph import color_graph
from training.export.graph_builder import RUNTIME, GraphBuilder
from training.export.linears import LinearLayer, LinearWriter, fp32
from training.export.token_merging import BLOCKS, Tokens, attention_bias, merge, unmerged
from training.network.embedding_model import EmbeddingModel

Array = NDArray[np.float32]
_NO_LENGTH = 1e-12


def can_build(model: EmbeddingModel) -> bool:
    """Return whether the backbone is a DINOv2 with a plain MLP, the only kind written here."""
    network = getattr(model.shape.backbone, "model", None)
    config = getattr(network, "config", None)
    if config is None or config.model_type != "dinov2" or not model.shape.backbone.cls_only:
        return False
    return config.hidden_act == "gelu" and not config.use_swiglu_ffn


def build_vit_graph(
    model: EmbeddingModel, linear_of: Callable[[int], LinearWriter], *, merged: bool = False
) -> bytes:
    """Return the ONNX model: "pixels" (N, 3, S, S) to "embedding" (N, D), unit length, float32.

    N is 1 if blank patches are skipped or tokens merged, because their number differs by photo.
    linear_of: gives the function that writes the linear layers of a block, by the block's number
    from 0. merged: similar tokens are merged. `model` must be on the CPU, in float32, and its LoRA
    updates merged.
    """
    graph = GraphBuilder()
    network = model.shape.backbone.model
    *lower, last = network.encoder.layer
    x = _tokens(graph, model.shape.backbone)
    merging = unmerged(graph, x) if merged else None
    bias = ("", "")
    for i, block in enumerate(lower):
        if merging is not None and i in BLOCKS:
            merging = merge(graph, Tokens(x, merging.patches), f"merging{i}")
            x, bias = merging.tokens, attention_bias(graph, merging, f"bias{i}")
        x = _block(graph, block, x, f"block{i}", linear_of(i), bias=bias[0])
    i = len(lower)
    x = _block(graph, last, x, f"block{i}", linear_of(i), cls_only=True, bias=bias[1])
    x = _norm(graph, network.layernorm, x, "norm")
    x = graph.node("Squeeze", [x, graph.shape(1)], "features")
    x = _part(graph, model.shape.head, x, "shape")
    dim = model.shape.head.out_features
    if model.color is not None:
        graph.include(color_graph(model.preprocessing))
        color = _part(graph, model.color.head, "color", "color_part")
        weight = graph.constant("color_weight", model.color_weight)
        color = graph.node("Mul", [color, weight], "color_weighted")
        x = _unit(graph, graph.node("Concat", [x, color], "parts", axis=1), "unit_parts")
        dim += model.color.head.out_features
    graph.node("Identity", [x], "embedding")
    photos = 1 if merged or model.shape.backbone.blank is not None else "N"
    return graph.serialized("dinov2", model.preprocessing.size, dim, photos)


def _tokens(graph: GraphBuilder, backbone: Any) -> str:
    """Add the tokens (N, T, F): CLS, then the patches that are not blank; positions are added."""
    embeddings = backbone.model.embeddings
    projection = embeddings.patch_embeddings.projection
    positions = _array(embeddings.position_embeddings)
    kernel = _array(projection.weight)  # (F, 3, side, side)
    width, _, side, _ = kernel.shape
    grid = math.isqrt(positions.shape[1] - 1)
    x = graph.node("Reshape", ["pixels", graph.shape(0, 3, grid, side, grid, side)], "grid")
    x = graph.node("Transpose", [x], "grid.patches", perm=[0, 2, 4, 1, 3, 5])
    x = graph.node("Reshape", [x, graph.shape(0, grid**2, 3, side**2)], "patches")
    places = graph.constant("positions", positions[:, 1:] + _array(projection.bias))
    if backbone.blank is not None:
        seen = _seen(graph, backbone.blank, x)
        x = graph.node("Gather", [x, seen], "patches.seen", axis=1)
        places = graph.node("Gather", [places, seen], "positions.seen", axis=1)
    x = graph.node("Reshape", [x, graph.shape(0, -1, 3 * side**2)], "patches.rows")
    weight = graph.constant("patches.weight", kernel.reshape(width, -1).T)
    x = graph.node("MatMul", [x, weight], "patches.product")
    x = graph.node("Add", [x, places], "patches.placed")
    cls = graph.constant("cls", _array(embeddings.cls_token) + positions[:, :1])
    photos = graph.node("Shape", ["pixels"], "photos", start=0, end=1)
    one_each = graph.node("Concat", [photos, graph.shape(1, width)], "cls.shape", axis=0)
    first = graph.node("Expand", [cls, one_each], "cls.each")
    return graph.node("Concat", [first, x], "tokens", axis=1)


def _seen(graph: GraphBuilder, blank: Any, patches: str) -> str:
    """Add the numbers (T,) of the patches that are not blank, of one photo (1, P, 3, pixels)."""
    threshold = graph.constant("patches.threshold", _array(blank.threshold)[:, :, 0])
    above = graph.node("Sub", [patches, threshold], "patches.above")
    darkest = graph.node("ReduceMin", [above, graph.shape(2, 3)], "patches.darkest", keepdims=0)
    seen = graph.node("Less", [darkest, graph.constant("patches.zero", 0)], "patches.not_blank")
    places = graph.node("NonZero", [seen], "patches.places")  # (2, T): photo and patch
    one, two = graph.shape(1), graph.shape(2)
    numbers = graph.node("Slice", [places, one, two, graph.shape(0)], "patches.found")
    return graph.node("Reshape", [numbers, graph.shape(-1)], "patches.numbers")


def _block(
    graph: GraphBuilder,
    block: Any,
    x: str,
    name: str,
    linear: LinearWriter,
    *,
    cls_only: bool = False,
    bias: str = "",
) -> str:
    """Add the steps of transformers' Dinov2Layer.

    cls_only: the output is the first token's alone, which attends to all tokens. bias: the name of
    what is added to the attention scores; "" for nothing.
    """
    attention, mlp = block.attention, block.mlp
    normed = _norm(graph, block.norm1, x, f"{name}.norm1")
    query, key, value = (
        _layer(part, f"{name}.{short}")
        for part, short in (
            (attention.q_proj, "q"),
            (attention.k_proj, "k"),
            (attention.v_proj, "v"),
        )
    )
    if cls_only:
        keys_values = linear(graph, normed, [key, value])
        x = _first_token(graph, x, f"{name}.cls")
        queries = linear(graph, _first_token(graph, normed, f"{name}.norm1.cls"), [query])
    else:
        *queries, k, v = linear(graph, normed, [query, key, value])
        keys_values = [k, v]
    mixed = graph.node(
        "MultiHeadAttention",
        [*queries, *keys_values, *(["", "", bias] if bias else [])],
        f"{name}.attention",
        domain=RUNTIME,
        num_heads=attention.num_attention_heads,
        scale=float(attention.scaling),
    )
    (attended,) = linear(
        graph, mixed, [_layer(attention.o_proj, f"{name}.o", block.layer_scale1.lambda1)]
    )
    x = graph.node("Add", [x, attended], f"{name}.attended")
    normed = _norm(graph, block.norm2, x, f"{name}.norm2")
    (inner,) = linear(graph, normed, [_layer(mlp.fc1, f"{name}.fc1")])
    active = graph.node("Gelu", [inner], f"{name}.gelu", domain=RUNTIME)
    (found,) = linear(graph, active, [_layer(mlp.fc2, f"{name}.fc2", block.layer_scale2.lambda1)])
    return graph.node("Add", [x, found], f"{name}.out")


def _first_token(graph: GraphBuilder, x: str, name: str) -> str:
    zero, one = graph.shape(0), graph.shape(1)
    return graph.node("Slice", [x, zero, one, one], name)


def _norm(graph: GraphBuilder, norm: Any, x: str, name: str) -> str:
    weight = graph.constant(f"{name}.weight", _array(norm.weight))
    bias = graph.constant(f"{name}.bias", _array(norm.bias))
    return graph.node("LayerNormalization", [x, weight, bias], name, epsilon=norm.eps)


def _part(graph: GraphBuilder, head: Any, features: str, name: str) -> str:
    (projected,) = fp32(graph, features, [_layer(head, f"{name}.head")])
    return _unit(graph, projected, name)


def _unit(graph: GraphBuilder, x: str, name: str) -> str:
    """Add the division of rows by their length, as torch's normalize does it."""
    norm = graph.node("ReduceL2", [x, graph.shape(1)], f"{name}.norm", keepdims=1)
    length = graph.node("Max", [norm, graph.constant("no_length", _NO_LENGTH)], f"{name}.length")
    return graph.node("Div", [x, length], f"{name}.unit")


def _layer(linear: Any, name: str, scale: Any = None) -> LinearLayer:
    """Return a linear layer, with the LayerScale that follows it multiplied into its columns."""
    weight = _array(linear.weight).T
    bias = np.zeros(weight.shape[1], np.float32) if linear.bias is None else _array(linear.bias)
    if scale is not None:
        weight, bias = weight * _array(scale), bias * _array(scale)
    return LinearLayer(name, weight, bias)


def _array(tensor: Any) -> Array:
    array: Array = tensor.detach().numpy()
    return array

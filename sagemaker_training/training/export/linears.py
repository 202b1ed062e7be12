"""Linear layers as ONNX Runtime's operators: one function for each way of writing them.

Each gives y = x W + b for several layers that read the same x (..., K), float32 in and out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.export.graph_builder import RUNTIME, GraphBuilder


@dataclass(frozen=True, eq=False)
class Layer:
    """W (K, M) and b (M,), float32."""

    name: str
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


Linear = Callable[[GraphBuilder, str, Sequence[Layer]], list[str]]  # the names of the layers' ys


def fp32(graph: GraphBuilder, x: str, layers: Sequence[Layer]) -> list[str]:
    """As they are."""
    outputs = []
    for layer in layers:
        weight = graph.constant(f"{layer.name}.weight", layer.weight)
        product = graph.node("MatMul", [x, weight], f"{layer.name}.product")
        bias = graph.constant(f"{layer.name}.bias", layer.bias)
        outputs.append(graph.node("Add", [product, bias], layer.name))
    return outputs


def int8(graph: GraphBuilder, x: str, layers: Sequence[Layer]) -> list[str]:
    """Weights in 8 bits with a scale a column, x in 8 bits between its own extremes, sums in 32.

    x is quantized once, by the range of the whole tensor: a photo's numbers would depend on the
    others of its batch.
    """
    quantized = graph.node("DynamicQuantizeLinear", [x], f"{x}.quantized", outputs=3)
    scale, zero = f"{quantized}.1", f"{quantized}.2"
    outputs = []
    for layer in layers:
        column_scales = np.abs(layer.weight).max(axis=0).clip(1e-12) / 127
        weight = graph.constant(
            f"{layer.name}.weight", np.rint(layer.weight / column_scales), np.int8
        )
        inputs = [
            quantized,
            weight,
            scale,
            graph.constant(f"{layer.name}.scales", column_scales),
            zero,
            "",  # the weights' zero points: they have none
            graph.constant(f"{layer.name}.bias", layer.bias),
        ]
        outputs.append(graph.node("MatMulIntegerToFloat", inputs, layer.name, domain=RUNTIME))
    return outputs


def int8_weights(graph: GraphBuilder, x: str, layers: Sequence[Layer], block: int) -> list[str]:
    """Weights and x in 8 bits with a scale for each `block` numbers of a column, or of a row: an
    outlier then coarsens its own block only."""
    outputs = []
    for layer in layers:
        depth, width = layer.weight.shape
        blocks = -(-depth // block)
        columns = np.zeros((width, blocks * block), np.float32)
        columns[:, :depth] = layer.weight.T
        columns = columns.reshape(width, blocks, block)
        scales = np.abs(columns).max(axis=2).clip(1e-12) / 127
        inputs = [
            x,
            graph.constant(
                f"{layer.name}.weight", np.rint(columns / scales[..., None]) + 128, np.uint8
            ),
            graph.constant(f"{layer.name}.scales", scales),
        ]
        product = graph.node(
            "MatMulNBits",
            inputs,
            f"{layer.name}.product",
            domain=RUNTIME,
            K=depth,
            N=width,
            bits=8,
            block_size=block,
            accuracy_level=4,  # x in 8 bits too
        )
        bias = graph.constant(f"{layer.name}.bias", layer.bias)
        outputs.append(graph.node("Add", [product, bias], layer.name))
    return outputs

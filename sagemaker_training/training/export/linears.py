"""Linear layers as ONNX Runtime's operators: one function for each precision.

Each function adds y = x W + b for several layers that read the same x (..., K); x and y are
float32. It returns the names of the layers' outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.export.graph_builder import RUNTIME, GraphBuilder


@dataclass(frozen=True, eq=False)
class LinearLayer:
    """W (K, M) and b (M,), float32."""

    name: str
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


# Such a function: graph, name of x, layers -> names of the outputs.
LinearWriter = Callable[[GraphBuilder, str, Sequence[LinearLayer]], list[str]]


def fp32(graph: GraphBuilder, x: str, layers: Sequence[LinearLayer]) -> list[str]:
    """Write the layers in float32."""
    outputs = []
    for layer in layers:
        weight = graph.constant(f"{layer.name}.weight", layer.weight)
        product = graph.node("MatMul", [x, weight], f"{layer.name}.product")
        bias = graph.constant(f"{layer.name}.bias", layer.bias)
        outputs.append(graph.node("Add", [product, bias], layer.name))
    return outputs


def int8(
    graph: GraphBuilder, x: str, layers: Sequence[LinearLayer], levels: int = 127
) -> list[str]:
    """Write the layers with 8-bit weights, 8-bit x and 32-bit sums.

    levels: the greatest weight. At most 64 are 7 bits, with which the fast products of CPUs that
    have no 8-bit dot products cannot overflow: they add two in 16 bits. Weights have one scale per
    column. x has one scale for the whole tensor, from its minimum and
    maximum, so in a batch a photo's values would depend on the other photos.
    """
    quantized = graph.node("DynamicQuantizeLinear", [x], f"{x}.quantized", outputs=3)
    scale, zero = f"{quantized}.1", f"{quantized}.2"
    outputs = []
    for layer in layers:
        column_scales = np.abs(layer.weight).max(axis=0).clip(1e-12) / levels
        weight = graph.constant(
            f"{layer.name}.weight", np.rint(layer.weight / column_scales), np.int8
        )
        inputs = [
            quantized,
            weight,
            scale,
            graph.constant(f"{layer.name}.scales", column_scales),
            zero,
            "",  # no zero points of the weights: they are symmetric
            graph.constant(f"{layer.name}.bias", layer.bias),
        ]
        outputs.append(graph.node("MatMulIntegerToFloat", inputs, layer.name, domain=RUNTIME))
    return outputs


def int8_weights(
    graph: GraphBuilder, x: str, layers: Sequence[LinearLayer], block: int
) -> list[str]:
    """Write the layers with 8-bit weights and 8-bit x, quantized in blocks.

    Each `block` values of a column of W, and of a row of x, have a scale of their own, so that an
    outlier costs precision only in its own block.
    """
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
            accuracy_level=4,  # quantizes x to 8 bits too
        )
        bias = graph.constant(f"{layer.name}.bias", layer.bias)
        outputs.append(graph.node("Add", [product, bias], layer.name))
    return outputs

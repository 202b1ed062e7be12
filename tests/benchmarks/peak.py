"""The machine's peak at multiplying matrices, and how many operations a model is.

What a model reaches of the peak tells what a better graph could still gain. Both are of one core,
in operations a second of its time; a multiplication and an addition are two.
"""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
import onnx.numpy_helper
from onnx import TensorProto, helper

from lens.models.embedder import Network

_SIDE = 1024
Precision = Literal["fp32", "int8", "int7"]
# Of weights with 8 bits and with 7, which run other products where there are no dot products.
_KINDS: dict[Precision, tuple[str, type[np.generic], int]] = {
    "fp32": ("MatMul", np.float32, 127),
    "int8": ("MatMulInteger", np.uint8, 127),
    "int7": ("MatMulInteger", np.uint8, 63),
}


def gemm_peak(precision: Precision, repeats: int = 15) -> float:
    """Operations a second of ONNX Runtime's product of two square matrices, the best of some."""
    operator, left, levels = _KINDS[precision]
    random = np.random.default_rng(0)
    right = random.integers(-levels, levels + 1, (_SIDE, _SIDE))
    weights = right.astype(np.float32 if precision == "fp32" else np.int8)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(left))
    product = TensorProto.FLOAT if precision == "fp32" else TensorProto.INT32
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "weights"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", kind, [_SIDE, _SIDE])],
        [helper.make_tensor_value_info("y", product, [_SIDE, _SIDE])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    network = Network(model.SerializeToString(), "product", overflows=precision != "int7")
    x = random.integers(0, 255, (_SIDE, _SIDE)).astype(left)
    network.run(x)
    least = min(_seconds(network, x) for _ in range(repeats))
    return float(2 * _SIDE**3 / least)


def vit_operations(
    *,
    patches: int = 256,
    patch: int = 14,
    width: int = 768,
    blocks: int = 12,
    cls_only: bool = True,
) -> int:
    """What one photo costs in matrix products, of ViT-B/14 at 224 px unless said: (12 W^2 + 2 T W)
    per token and block for T tokens of W numbers. `patches`: how many are looked at. `cls_only`: of
    the last block just one token's row is computed, and every token's keys and values."""
    tokens = patches + 1
    block = 2 * tokens * (12 * width**2 + 2 * tokens * width)
    first = 2 * patches * 3 * patch**2 * width
    if not cls_only:
        return first + blocks * block
    last = 2 * (2 * tokens * width**2 + 10 * width**2 + 2 * tokens * width)
    return first + (blocks - 1) * block + last


def _seconds(network: Network, x: np.ndarray) -> float:
    began = time.process_time()
    network.run(x)
    return time.process_time() - began

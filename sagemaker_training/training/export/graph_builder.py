"""An ONNX graph in the making: nodes and constants, each under the name it is asked for by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx.helper
import onnx.numpy_helper
from numpy.typing import ArrayLike, DTypeLike

# ONNX Runtime's own operators, beside the standard's.
RUNTIME = "com.microsoft"
_OPSETS = {"": 18, RUNTIME: 1}
# The oldest format that has these operators.
_IR_VERSION = 8


class GraphBuilder:
    """Nodes in the order in which they are computed, and the constants that they read."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def node(
        self,
        operator: str,
        inputs: list[str],
        name: str,
        *,
        outputs: int = 1,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node; its first output has its name, the others are {name}.1 and so on."""
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        made = onnx.helper.make_node(operator, inputs, names, domain=domain, **attributes)
        self._nodes.append(made)
        return name

    def constant(self, name: str, values: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Add an array that nodes read; the same name again is the same array."""
        if name not in self._constants:
            array = np.ascontiguousarray(np.asarray(values, dtype))
            # Of a scalar ascontiguousarray makes a row.
            array = array.reshape(np.shape(values))
            self._constants[name] = onnx.numpy_helper.from_array(array, name)
        return name

    def shape(self, *sizes: int) -> str:
        """Add the constant of a shape, or of axes."""
        return self.constant("shape " + " ".join(map(str, sizes)), list(sizes), np.int64)

    def choose(
        self,
        condition: str,
        then: Callable[[GraphBuilder], list[str]],
        otherwise: list[str],
        name: str,
    ) -> list[str]:
        """Values that are float32: what `then` writes where the condition, a boolean, is true, and
        the `otherwise` ones where it is not, which costs nothing else."""
        branch, rest = GraphBuilder(), GraphBuilder()
        branch._constants = rest._constants = self._constants
        made = then(branch)
        kept = [rest.node("Identity", [x], f"{name}.kept.{i}") for i, x in enumerate(otherwise)]
        branches = {
            f"{way}_branch": onnx.helper.make_graph(
                side._nodes,
                f"{name}.{way}",
                [],
                [onnx.helper.make_tensor_value_info(x, onnx.TensorProto.FLOAT, None) for x in xs],
            )
            for way, side, xs in (("then", branch, made), ("else", rest, kept))
        }
        self.node("If", [condition], name, outputs=len(otherwise), **branches)
        return [name, *(f"{name}.{i}" for i in range(1, len(otherwise)))]

    def include(self, graph: Any) -> None:
        """Take in all of an onnx.GraphProto; its inputs are found here by their names."""
        self._nodes.extend(graph.node)
        for tensor in graph.initializer:
            self._constants[tensor.name] = tensor

    def serialized(self, name: str, size: int, dim: int, photos: int | str = "N") -> bytes:
        """The model from "pixels" (N, 3, size, size) to "embedding" (N, dim), both float32. The
        same graph gives the same bytes. `photos` is N, where it must be a certain number."""
        tensor = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            self._nodes,
            name,
            [tensor("pixels", onnx.TensorProto.FLOAT, [photos, 3, size, size])],
            [tensor("embedding", onnx.TensorProto.FLOAT, [photos, dim])],
            list(self._constants.values()),
        )
        opsets = [onnx.helper.make_opsetid(*opset) for opset in _OPSETS.items()]
        model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        data: bytes = model.SerializeToString(deterministic=True)
        return data

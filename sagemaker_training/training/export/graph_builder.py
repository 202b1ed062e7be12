"""The graph builder: collects the nodes and constants of an ONNX graph, each by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx.helper
import onnx.numpy_helper
from numpy.typing import ArrayLike, DTypeLike

# The domain of ONNX Runtime's own operators.
RUNTIME = "com.microsoft"
_OPSETS = {"": 18, RUNTIME: 1}
# The oldest version with these operators, so that any runtime reads the model.
_IR_VERSION = 8


class GraphBuilder:
    """Nodes in the order of their computation, and the constants that they read."""

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
        """Add a node and return the name of its first output.

        That is the node's own name; further outputs are named {name}.1, {name}.2 and so on.
        """
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        made = onnx.helper.make_node(operator, inputs, names, domain=domain, **attributes)
        self._nodes.append(made)
        return name

    def constant(self, name: str, values: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Add an array and return its name; for a name that exists, nothing is added."""
        if name not in self._constants:
            array = np.ascontiguousarray(np.asarray(values, dtype))
            # ascontiguousarray makes a scalar an array of one dimension.
            array = array.reshape(np.shape(values))
            self._constants[name] = onnx.numpy_helper.from_array(array, name)
        return name

    def shape(self, *sizes: int) -> str:
        """Add a constant of integers, as operators want shapes and axes."""
        return self.constant("shape " + " ".join(map(str, sizes)), list(sizes), np.int64)

    def choose(
        self,
        condition: str,
        then: Callable[[GraphBuilder], list[str]],
        otherwise: list[str],
        name: str,
    ) -> list[str]:
        """Add an If and return the names of its outputs, float32.

        If the boolean `condition` is true, they are what `then` adds to the graph; else they are
        the values `otherwise`, and `then`'s part is not computed.
        """
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
        """Add all of an onnx.GraphProto; its inputs must have the names of values here."""
        self._nodes.extend(graph.node)
        for tensor in graph.initializer:
            self._constants[tensor.name] = tensor

    def serialized(self, name: str, size: int, dim: int, photos: int | str = "N") -> bytes:
        """Return the model: "pixels" (N, 3, size, size) to "embedding" (N, dim), both float32.

        The same graph gives the same bytes. photos: N if it is fixed, "N" for a dynamic batch.
        """
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

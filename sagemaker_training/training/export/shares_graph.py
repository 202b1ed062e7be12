"""Shares: how a garment network's graph goes on, to what each place adds to the embedding.

The features are a mean over places and the colors are counted over pixels, so an embedding is a sum
over places, and of the two projections' constants. A channel's mean of powers belongs to its places
as their powers do, a color's count to its pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from lens.errors import ArtifactError
from lens.models.beside import write_beside_once
from lens.models.manifest import ModelManifest, read_network
from lens.models.shares import ASKED, FILE, OUTPUT
from lens.storage import Storage
from training.network.color import CHROMA_BINS, COLORS, LIGHTNESS_BINS, POOL

_STRIDE = 32  # pixels of the square that are one place of it
_SIDE = _STRIDE // POOL  # of a place, in the larger pixels that colors are counted in
_PIXELS = _SIDE**2
_TINY = 1e-18  # what no place has is shared by none


def write_shares(artifacts: Storage, manifest: ModelManifest) -> None:
    """Write what a garment network goes on with beside it, unless it is there."""
    network = read_network(artifacts, manifest)
    write_beside_once(artifacts, manifest.model_id, FILE, shares_of(network))


def shares_of(graph: bytes) -> bytes:
    """Return what gives this graph, when it is appended to its bytes, one output more: "shares"
    (N, H, W, D), of the H x W places of the square.

    Messages of protocol buffers that follow each other are merged, so the network's own bytes stay
    as they are. Raises ArtifactError for a graph that `export_garment` has not made.
    """
    network = _Network(onnx.load_from_string(graph).graph)
    both, length = network.quotient(network.output)
    shape, color = network.inputs(both, "Concat")
    color, weight = network.inputs(color, "Mul")
    more = _Continuation(network.side // _STRIDE)
    shape = _shape(more, network, shape)
    color = more.node("Mul", _color(more, network, color), weight)
    every = more.node("Concat", shape, color, axis=3)
    more.node("Div", every, more.reshaped(length, -1, 1, 1, 1))
    return more.serialized()


def _shape(more: _Continuation, network: _Network, shape: str) -> str:
    """The shares (N, H, W, A) of a shape part of unit length."""
    linear, length = network.quotient(shape)
    features, weights = network.inputs(linear, "Gemm")
    mean = network.quotient(features)[0]
    clipped = network.inputs(mean, "Pow")[0]
    powers = network.inputs(network.quotient(network.inputs(clipped, "Clip")[0])[0], "ReduceSum")[0]
    dim, channels = network.dims(weights)
    whole = more.node("ReduceSum", powers, more.constant([2, 3]), keepdims=1)
    whole = more.node("Clip", whole, more.constant(np.float32(_TINY)))
    each = more.node("Div", more.reshaped(features, -1, channels, 1, 1), whole)
    each = more.node("Mul", powers, each)
    projected = more.node("Conv", each, more.reshaped(weights, dim, channels, 1, 1))
    unit = more.node("Div", projected, more.reshaped(length, -1, 1, 1, 1))
    return more.node("Transpose", unit, perm=[0, 2, 3, 1])


def _color(more: _Continuation, network: _Network, color: str) -> str:
    """The shares (N, H, W, B) of a color part of unit length."""
    linear, length = network.quotient(color)
    roots, weights = network.inputs(linear, "Gemm")
    table = network.inputs(network.quotient(network.inputs(roots, "Sqrt")[0])[0], "Reshape")[0]
    chroma, lightness = network.inputs(table, "MatMul")
    lightness = network.inputs(lightness, "Transpose")[0]
    a, b = network.inputs(network.inputs(chroma, "Reshape")[0], "Mul")
    places = more.places, more.places
    of_a, of_b = (
        more.reshaped(
            more.by_place(network.inputs(name, "Unsqueeze")[0], CHROMA_BINS),
            -1,
            *places,
            *shape,
            _PIXELS,
        )
        for name, shape in ((a, (CHROMA_BINS, 1)), (b, (1, CHROMA_BINS)))
    )
    of_chroma = more.reshaped(more.node("Mul", of_a, of_b), -1, *places, CHROMA_BINS**2, _PIXELS)
    of_lightness = more.by_place(lightness, LIGHTNESS_BINS, pixels_first=True)
    counts = more.reshaped(more.node("MatMul", of_chroma, of_lightness), -1, *places, COLORS)
    whole = more.node("Clip", more.reshaped(table, -1, COLORS), more.constant(np.float32(_TINY)))
    each = more.reshaped(more.node("Div", roots, whole), -1, 1, 1, COLORS)
    rows = more.reshaped(more.node("Mul", counts, each), -1, COLORS)
    projected = more.node("Gemm", rows, weights, transB=1)
    projected = more.reshaped(projected, -1, *places, network.dims(weights)[0])
    return more.node("Div", projected, more.reshaped(length, -1, 1, 1, 1))


class _Network:
    """A garment network's graph, walked from its embedding to what that is made of."""

    def __init__(self, graph: Any) -> None:
        self._makers = {name: node for node in graph.node for name in node.output}
        self._constants = {each.name: each for each in graph.initializer}
        self.output: str = graph.output[0].name
        self.side: int = graph.input[0].type.tensor_type.shape.dim[2].dim_value  # in pixels

    def inputs(self, name: str, operator: str) -> tuple[str, str]:
        """The first and the second input ("" for none) of the operator that makes this value."""
        node = self._makers.get(name)
        if node is None or node.op_type != operator:
            raise ArtifactError(f"this is no garment network: no {operator} makes its {name}")
        return node.input[0], node.input[1] if len(node.input) > 1 else ""

    def quotient(self, name: str) -> tuple[str, str]:
        """What is divided to make this value, and by what, not yet expanded to its shape."""
        divided, by = self.inputs(name, "Div")
        node = self._makers.get(by)
        return divided, node.input[0] if node is not None and node.op_type == "Expand" else by

    def dims(self, name: str) -> tuple[int, ...]:
        """The shape of a constant."""
        return tuple(self._constants[name].dims)


class _Continuation:
    """Nodes and constants that no name of the network's is taken for."""

    def __init__(self, places: int) -> None:
        self.places = places  # of a side of the square
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; the name of its output."""
        output = output or f"{OUTPUT}/{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, values: ArrayLike) -> str:
        """Add an array; its name."""
        name = f"{OUTPUT}/constant/{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def reshaped(self, name: str, *shape: int) -> str:
        """A value in another shape."""
        return self.node("Reshape", name, self.constant(np.array(shape, np.int64)))

    def by_place(self, name: str, bins: int, *, pixels_first: bool = False) -> str:
        """(N, bins, all pixels) as (N, H, W, bins, pixels of a place), or with these first."""
        grid = self.reshaped(name, -1, bins, self.places, _SIDE, self.places, _SIDE)
        order = [0, 2, 4, 3, 5, 1] if pixels_first else [0, 2, 4, 1, 3, 5]
        last = (_PIXELS, bins) if pixels_first else (bins, _PIXELS)
        turned = self.node("Transpose", grid, perm=order)
        return self.reshaped(turned, -1, self.places, self.places, *last)

    def serialized(self) -> bytes:
        """A message to be appended to the network's: an If, and the input that it asks."""

        def branch(name: str, nodes: list[Any], output: str, constants: list[Any]) -> Any:
            outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
            return helper.make_graph(nodes, name, [], outputs, constants)

        nothing = numpy_helper.from_array(np.zeros((0, 0, 0, 0), np.float32), f"{OUTPUT}/nothing")
        model = onnx.ModelProto()
        model.graph.node.append(
            helper.make_node(
                "If",
                [ASKED],
                [OUTPUT],
                then_branch=branch(
                    "asked", self._nodes, self._nodes[-1].output[0], self._constants
                ),
                else_branch=branch(
                    "else",
                    [helper.make_node("Identity", [nothing.name], [f"{OUTPUT}/none"])],
                    f"{OUTPUT}/none",
                    [nothing],
                ),
            )
        )
        model.graph.initializer.append(numpy_helper.from_array(np.array(False), ASKED))
        model.graph.input.append(helper.make_tensor_value_info(ASKED, TensorProto.BOOL, []))
        model.graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, None))
        data: bytes = model.SerializeToString(deterministic=True)
        return data

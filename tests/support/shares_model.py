"""The tiny models with shares: what each quarter of the input adds to the vector, exactly."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lens.models.manifest import ModelManifest
from lens.models.shares import ASKED, OUTPUT, shares_key
from lens.storage import Storage
from tests.support.region_model import write_region_model
from tests.support.tiny_model import DIM, SIDE


def continuation() -> bytes:
    """What a tiny model's network goes on with."""
    half = SIDE // 2
    shapes = {
        "split": [-1, 3, 2, half, 2, half],
        "rows": [-1, 2, 2, 1, 3 * half * half],
        "split weights": [3, 2, half, 2, half, DIM],
        "columns": [1, 2, 2, 3 * half * half, DIM],
        "flat shares": [-1, 2, 2, DIM],
        "one each": [-1, 1, 1, 1],
    }
    nodes = [
        helper.make_node("Reshape", ["pixels", "split"], ["a"]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[0, 2, 4, 1, 3, 5]),
        helper.make_node("Reshape", ["b", "rows"], ["c"]),
        helper.make_node("Reshape", ["weights", "split weights"], ["d"]),
        helper.make_node("Transpose", ["d"], ["e"], perm=[1, 3, 0, 2, 4, 5]),
        helper.make_node("Reshape", ["e", "columns"], ["f"]),
        helper.make_node("MatMul", ["c", "f"], ["g"]),
        helper.make_node("Reshape", ["g", "flat shares"], ["h"]),
        helper.make_node("ReduceL2", ["projected"], ["i"], axes=[1], keepdims=1),
        helper.make_node("Reshape", ["i", "one each"], ["j"]),
        helper.make_node("Div", ["h", "j"], ["told"]),
    ]
    constants = [numpy_helper.from_array(np.array(value), name) for name, value in shapes.items()]
    nothing = [numpy_helper.from_array(np.zeros((0, 0, 0, 0), np.float32), "nothing")]
    same = [helper.make_node("Identity", ["nothing"], ["untold"])]

    def value(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)

    model = onnx.ModelProto()
    told = helper.make_graph(nodes, "told", [], [value("told")], constants)
    untold = helper.make_graph(same, "untold", [], [value("untold")], nothing)
    ask = helper.make_node("If", [ASKED], [OUTPUT], then_branch=told, else_branch=untold)
    model.graph.node.append(ask)
    model.graph.initializer.append(numpy_helper.from_array(np.array(False), ASKED))
    model.graph.input.append(helper.make_tensor_value_info(ASKED, TensorProto.BOOL, []))
    model.graph.output.append(value(OUTPUT))
    return bytes(model.SerializeToString())


def write_shares_model(artifacts: Storage, seed: int = 0) -> ModelManifest:
    """Write the tiny model with regions and this seed, and what it goes on with."""
    manifest = write_region_model(artifacts, seed)
    artifacts.write(shares_key(manifest.model_id), continuation())
    return manifest

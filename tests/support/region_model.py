"""The tiny model with regions: each quarter of its input that is of one pure color is a garment.

Red is an upper garment, lime a lower one, blue one in one piece; the darker, the less sure.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from lens.models.manifest import HeadInfo, ModelManifest, write_model
from lens.storage import Storage
from tests.support.tiny_model import DIM, PREPROCESSING, SIDE, tiny_graph

QUARTERS = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0))
UPPER, LOWER, ONE_PIECE = "red", "lime", "blue"
DOUBTED = "#600000"  # dark red: told, and not sure enough to be cut out unasked

# A pure color is sure to 0.98, noise to 0.0003, and white, which pads, to nothing.
_STEEPNESS, _MIDDLE = 4.0, 2.0


def region_graph(seed: int = 0) -> bytes:
    """Pixels (N, 3, 8, 8) to unit vectors (N, 8), boxes (N, 4, 4) and scores (N, 4, 5)."""
    model = onnx.load_from_string(tiny_graph(seed))
    half = [SIDE // 2] * 2
    model.graph.node.extend(
        [
            helper.make_node("AveragePool", ["pixels"], ["means"], kernel_shape=half, strides=half),
            helper.make_node("Reshape", ["means", "cells"], ["by_color"]),
            helper.make_node("Transpose", ["by_color"], ["by_cell"], perm=[0, 2, 1]),
            helper.make_node("MatMul", ["by_cell", "purities"], ["purity"]),
            helper.make_node("Add", ["purity", "doubt"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["scores"]),
            helper.make_node("MatMul", ["scores", "nowhere"], ["origin"]),
            helper.make_node("Add", ["origin", "quarters"], ["boxes"]),
        ]
    )
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4, numbers])
        for name, numbers in (("boxes", 4), ("scores", 5))
    )
    purities = np.zeros((3, 5))
    purities[:, :3] = _STEEPNESS * (2 * np.eye(3) - 1)
    constants = {
        "purities": purities,
        "doubt": np.full(5, -_STEEPNESS * _MIDDLE),
        "nowhere": np.zeros((5, 4)),
        "quarters": np.array(QUARTERS),
    }
    model.graph.initializer.append(numpy_helper.from_array(np.array([0, 3, 4]), "cells"))
    model.graph.initializer.extend(
        numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()
    )
    return bytes(model.SerializeToString())


def write_region_model(artifacts: Storage, seed: int = 0) -> ModelManifest:
    """Write the model with this seed; each seed is another model."""
    return write_model(
        artifacts,
        region_graph(seed),
        backbone="tiny",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        head=HeadInfo(kind="trained"),
    )


def scene(seed: int, quarters: Mapping[int, str], size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A photo that differs for every seed, with garments of these colors in these quarters."""
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    for quarter, color in quarters.items():
        x0, y0, x1, y1 = QUARTERS[quarter]
        image.paste(color, (int(x0 * width), int(y0 * height), int(x1 * width), int(y1 * height)))
    return image


def scene_png(seed: int, quarters: Mapping[int, str]) -> bytes:
    """A scene as a file."""
    out = BytesIO()
    scene(seed, quarters).save(out, "PNG")
    return out.getvalue()

"""A real ONNX model small enough for tests: 8 x 8 pixels, projected to 8 numbers."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from lens.default_model.shipped import MANIFEST
from lens.models.manifest import (
    DEFAULT_NUMBER,
    HeadInfo,
    ModelManifest,
    Preprocessing,
    read_network,
    write_model,
)
from lens.storage import FileStorage, Storage

SIDE = 8
DIM = 8
PREPROCESSING = Preprocessing(size=SIDE, mean=(127.0,) * 3, std=(128.0,) * 3)


@cache
def tiny_graph(seed: int = 0) -> bytes:
    """Pixels (N, 3, 8, 8) to unit vectors (N, 8)."""
    weights = np.random.default_rng(seed).standard_normal((3 * SIDE * SIDE, DIM))
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["projected"]),
        helper.make_node("LpNormalization", ["projected"], ["embedding"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", DIM])],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def write_tiny_model(
    artifacts: Storage, seed: int = 0, *, kind: str = "trained", number: int = 0
) -> ModelManifest:
    """Write the model with this seed; each seed is another model. `kind` is its head's, `number`
    that of a default model."""
    return write_model(
        artifacts,
        tiny_graph(seed),
        backbone="tiny",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        head=HeadInfo(kind=kind),
        recipe={DEFAULT_NUMBER: number} if number else {},
    )


def ship_tiny_model(folder: Path, seed: int = 0, *, number: int = 2) -> ModelManifest:
    """Lay the model with this seed out as the default model is shipped."""
    with TemporaryDirectory() as place:
        artifacts = FileStorage(Path(place))
        manifest = write_tiny_model(artifacts, seed, number=number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(read_network(artifacts, manifest))
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return manifest


def png(seed: int) -> bytes:
    """A small photo that differs for every seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()

"""Export: a trained model as ONNX, and the proof that serving computes what torch does."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lens.embedder import Embedder
from lens.errors import ArtifactError
from lens.images import decode
from lens.limits import Limits
from lens.preprocessing import to_pixels
from lora import merge_lora
from models import EmbeddingModel

LEAST_COSINE = 0.9999
_OPSET = 18


def export_onnx(model: EmbeddingModel) -> bytes:
    """The model's ONNX graph, "pixels" (N, 3, S, S) to "embedding" (N, D), both float32.

    LoRA's updates are folded into the weights beside them.
    """
    plain = copy.deepcopy(model).cpu().float().eval()
    merge_lora(plain)
    size = plain.preprocessing.size
    # The exporter tells its own developers much on the way.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            plain,
            (torch.zeros(2, 3, size, size),),
            dynamo=True,
            input_names=["pixels"],
            output_names=["embedding"],
            opset_version=_OPSET,
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            verbose=False,
        )
    data: bytes = program.model_proto.SerializeToString()
    return data


def check_parity(model: EmbeddingModel, embedder: Embedder, photos: Sequence[Path]) -> float:
    """The smallest cosine between what torch and what serving make of the same photos.

    Raises ArtifactError where it is below LEAST_COSINE.
    """
    device = next(model.parameters()).device
    model.eval()
    least = 1.0
    for photo in photos:
        image = decode(photo.read_bytes(), Limits())
        pixels = torch.from_numpy(to_pixels(image, model.preprocessing))[None].to(device)
        with torch.no_grad():
            expected = model(pixels)[0].cpu().numpy()
        least = min(least, float(np.dot(expected, embedder.embed(image))))
    if least < LEAST_COSINE:
        raise ArtifactError(
            f"the exported model differs from the trained one (cosine {least:.6f}, at least "
            f"{LEAST_COSINE} is wanted): it is not to be served"
        )
    return least

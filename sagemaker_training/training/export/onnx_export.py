"""ONNX export: a trained model in several precisions, and the check that serving it gives the
embeddings that torch gives."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lens.errors import ArtifactError
from lens.models.cpu import INT8_DOT_PRODUCTS
from lens.models.embedder import Embedder
from lens.models.manifest import FP32
from lens.models.preprocessing import to_pixels
from lens.photos.decoding import decode
from lens.settings import Limits
from training.export.dinov2_graph import build_vit_graph, can_build
from training.export.linears import LinearWriter, fp32, int8, int8_weights
from training.network.embedding_model import EmbeddingModel
from training.network.lora import merge_lora

LEAST_COSINE = 0.9999
_OPSET = 18
# "int8-safe" keeps this many first blocks in fp32: their rounding errors pass through all others.
_SAFE_BLOCKS = 2
_WEIGHTS_BLOCK = 128  # values with one scale, of "int8-weights"


def _int8_safe(block: int) -> LinearWriter:
    return fp32 if block < _SAFE_BLOCKS else int8


_int7 = partial(int8, levels=63)


# The precisions of DINOv2's blocks besides fp32, from the fastest to the safest where there are
# 8-bit dot products. Who serves measures which is the fastest (lens.models.choice).
_MERGED = "-merged"
_FASTER: dict[str, Callable[[int], LinearWriter]] = {
    f"int8{_MERGED}": lambda block: int8,
    f"int7{_MERGED}": lambda block: _int7,
    "int8": lambda block: int8,
    "int7": lambda block: _int7,
    "int8-safe": _int8_safe,
    "int8-weights": lambda block: partial(int8_weights, block=_WEIGHTS_BLOCK),
    f"{FP32}{_MERGED}": lambda block: fp32,
}


def export_onnx(model: EmbeddingModel) -> bytes:
    """Return the model's ONNX graph: "pixels" (N, 3, S, S) to "embedding" (N, D), both float32.

    LoRA updates are merged into the weights.
    """
    plain = _plain(model)
    return build_vit_graph(plain, lambda block: fp32) if can_build(plain) else _traced(plain)


def export_precisions(model: EmbeddingModel) -> dict[str, bytes]:
    """Return the graph in every precision that the backbone has, from the fastest to fp32.

    Only the precision gate can tell which of them may be served.
    """
    plain = _plain(model)
    if not can_build(plain):
        return {FP32: _traced(plain)}
    written = {**_FASTER, FP32: lambda block: fp32}
    return {
        name: build_vit_graph(plain, linear_of, merged=name.endswith(_MERGED))
        for name, linear_of in written.items()
    }


def needs_of(precision: str) -> str:
    """Return the CPU's feature without which releases that do not measure are to leave it alone."""
    return INT8_DOT_PRODUCTS if precision.startswith("int8") else ""


def _plain(model: EmbeddingModel) -> EmbeddingModel:
    """Return a copy on the CPU, in float32, with LoRA updates merged."""
    plain = copy.deepcopy(model).cpu().float().eval()
    merge_lora(plain)
    return plain


def _traced(plain: EmbeddingModel) -> bytes:
    return traced(plain, plain.preprocessing.size, ["embedding"])


def traced(network: nn.Module, size: int, outputs: Sequence[str]) -> bytes:
    """Return the graph of any network, by torch's own exporter: "pixels" (N, 3, size, size) to
    its outputs under these names."""
    # The exporter logs and warns about its own internals.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (torch.zeros(2, 3, size, size),),
            dynamo=True,
            input_names=["pixels"],
            output_names=list(outputs),
            opset_version=_OPSET,
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            verbose=False,
        )
    proto = program.model_proto
    # The exporter notes where in the source each node was made, with this machine's paths: the
    # same network would be another file, and another model, elsewhere.
    graph = proto.graph
    for part in (proto, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    data: bytes = proto.SerializeToString()
    return data


def check_parity(model: EmbeddingModel, embedder: Embedder, photos: Sequence[Path]) -> float:
    """Return the smallest cosine between torch's and serving's embeddings of the same photos.

    Raises ArtifactError if it is below LEAST_COSINE.
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
            f"the exported model differs from the trained one (cosine {least:.6f}; at least "
            f"{LEAST_COSINE} is required): do not serve it"
        )
    return least

"""Export: the garment network as an ONNX graph, and the check that it gives what torch gives."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray

from lens.errors import ArtifactError
from lens.models.embedder import Network
from training.export.onnx_export import LEAST_COSINE, traced
from training.garment.network import GarmentNetwork

OUTPUTS = ("embedding", "boxes", "scores")
_FURTHEST = 1e-3  # of a box's side or a score from torch's


def export_garment(network: GarmentNetwork, size: int) -> bytes:
    """Return the network's ONNX graph: "pixels" (N, 3, size, size) to its outputs, all float32,
    the embedding first."""
    return traced(copy.deepcopy(network).cpu().float().eval(), size, OUTPUTS)


def check_parity(network: GarmentNetwork, graph: bytes, pixels: NDArray[np.float32]) -> float:
    """Return the smallest cosine between torch's and ONNX Runtime's embeddings of (N, 3, S, S).

    Raises ArtifactError if it is below LEAST_COSINE, or boxes or scores differ.
    """
    with torch.no_grad():
        expected = [each.numpy() for each in network.eval()(torch.from_numpy(pixels))]
    found = Network(graph, "as exported").run_all(pixels)
    cosine = float((found["embedding"] * expected[0]).sum(axis=1).min())
    furthest = max(
        float(np.abs(found[name] - each).max())
        for name, each in zip(OUTPUTS[1:], expected[1:], strict=True)
    )
    if cosine < LEAST_COSINE or furthest > _FURTHEST:
        raise ArtifactError(
            f"the exported network differs from the trained one (cosine {cosine:.6f}, boxes and "
            f"scores by up to {furthest:.6f}): do not serve it"
        )
    return cosine

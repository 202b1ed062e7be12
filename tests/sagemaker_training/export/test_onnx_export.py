"""Export to ONNX: the exported model gives the trained one's vectors, or is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.errors import ArtifactError
from lens.models.embedder import Embedder, Network
from lens.models.manifest import HeadInfo, ModelManifest, Variant
from tests.sagemaker_training.export.graph_texts import tells_of_machine
from tests.sagemaker_training.small_models import small_model, small_recipe
from training.export.onnx_export import check_parity, export_onnx
from training.network.embedding_model import LITE0, EmbeddingModel


def _embedder(model: EmbeddingModel, graph: bytes) -> Embedder:
    manifest = ModelManifest(
        model_id="exported",
        backbone="small",
        embedding_dim=8,
        preprocessing=model.preprocessing,
        head=HeadInfo(kind="trained"),
        variants={"fp32": Variant(file="model.onnx", sha256="")},
    )
    return Embedder(manifest, graph)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lite0", "dinov2", "lora"])
def test_the_exported_model_gives_the_vectors_of_the_trained_one(
    backbone: str, inshop: Path, kind: str
) -> None:
    recipe = small_recipe(backbone)
    if kind == "lite0":
        recipe = replace(recipe, backbone=LITE0, size=32, color_dim=3)
    if kind == "lora":
        recipe = replace(recipe, tuning="lora", color_dim=3)
    model = small_model(recipe)
    for parameter in model.parameters():  # LoRA's updates start at zero
        parameter.data += 0.01 * torch.randn_like(parameter)
    graph = export_onnx(model)
    photos = sorted(inshop.rglob("*.png"))[::6]
    assert check_parity(model, _embedder(model, graph), photos) >= 0.9999
    pixels = np.random.default_rng(0).normal(size=(5, 3, recipe.size, recipe.size))
    assert tells_of_machine(graph) == []
    many = Network(graph, "many").run(pixels.astype(np.float32))
    assert np.allclose(np.linalg.norm(many, axis=1), 1, atol=1e-5)


def test_a_model_that_is_not_the_exported_one_is_not_delivered(backbone: str, inshop: Path) -> None:
    first, second = (small_model(small_recipe(backbone), seed=seed) for seed in (0, 1))
    with pytest.raises(ArtifactError, match="differs from the trained one"):
        check_parity(first, _embedder(second, export_onnx(second)), [*inshop.rglob("*.png")][:3])

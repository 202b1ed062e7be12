"""The model to be trained: its backbones, LoRA, color part and heads against what is served.

Covers: embedding_model, vit, lora, color.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.errors import UsageError
from tests.sagemaker_training.small_models import SIZE, small_model, small_recipe
from training.network import vit
from training.network.color import ColorStatistics
from training.network.embedding_model import LITE0, build_model, start_from
from training.network.lite0_weights import PREPROCESSING
from training.network.projections import fit_projection
from training.presets import LAPTOP


def _pixels(size: int, count: int = 4, seed: int = 0) -> torch.Tensor:
    """Photos of noise: dark, colored, padded in white, and wholly white."""
    levels = np.random.default_rng(seed).integers(0, 256, (count, 3, size, size))
    levels[0] //= 3
    levels[2, :, :, : size // 3] = np.array([255, 255, 254])[:, None, None]
    levels[3] = 255
    mean, std = np.float64(127), np.float64(128)
    return torch.from_numpy(((levels - mean) / std).astype(np.float32))


@pytest.mark.parametrize("seed", range(3))
def test_color_statistics_have_unit_length_or_none(seed: int) -> None:
    statistics = ColorStatistics(PREPROCESSING)(_pixels(64, seed=seed))
    lengths = statistics.norm(dim=1)
    assert torch.allclose(lengths[:3], torch.ones(3), atol=1e-5) and lengths[3] == 0


def test_a_white_photo_gives_finite_gradients() -> None:
    model = build_model(replace(LAPTOP, size=32, start="random"))
    model(_pixels(32)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_the_last_block_for_the_first_token_alone_is_exact(backbone: str) -> None:
    loaded, _ = vit.load_backbone(backbone, SIZE, pretrained=True)
    pixels = _pixels(SIZE)
    loaded.eval()
    with torch.no_grad():
        whole = loaded.model(pixels).last_hidden_state[:, 0]
        assert torch.allclose(loaded(pixels), whole, atol=1e-6)


def test_a_model_that_leaves_blank_patches_out_attends_to_the_others_alone(backbone: str) -> None:
    """Against the whole of DINOv2, every token computed, with the blank ones hidden as keys."""
    model = build_model(small_recipe(backbone, blank_from=245)).eval()
    levels = torch.from_numpy(np.random.default_rng(0).integers(0, 245, (3, 3, SIZE, SIZE)))
    levels[1, :, :14] = 255
    levels[2] = 255
    pixels, network = model.normalized(levels), model.shape.backbone.model
    hidden = torch.tensor([[0, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 1, 1]]).bool()
    with torch.no_grad():
        tokens = network.embeddings(pixels)
        for block in network.encoder.layer:
            tokens = block(tokens, attention_mask=~hidden[:, None, None])
        whole = network.layernorm(tokens)[:, 0]
        found = model.shape.backbone(pixels)
    assert torch.allclose(found, whole, atol=1e-6)


def test_a_photo_s_gradients_are_the_same_among_others_with_more_patches(backbone: str) -> None:
    model = build_model(small_recipe(backbone, blank_from=245)).eval()
    levels = torch.from_numpy(np.random.default_rng(0).integers(0, 245, (2, 3, SIZE, SIZE)))
    levels[1, :, :14] = 255
    pixels = model.normalized(levels)

    def gradients(chosen: torch.Tensor) -> list[torch.Tensor]:
        model.zero_grad()
        model(chosen)[-1].square().cumsum(0).sum().backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    alone, among = gradients(pixels[1:]), gradients(pixels)
    assert len(alone) > 10
    for one, other in zip(alone, among, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_positions_fit_to_the_size_once_are_those_interpolated_each_time(backbone: str) -> None:
    from transformers import AutoModel

    pixels = _pixels(SIZE)
    loaded, _ = vit.load_backbone(backbone, SIZE, pretrained=True)
    with torch.no_grad():
        expected = AutoModel.from_pretrained(backbone)(pixels).pooler_output
        assert torch.allclose(loaded.eval()(pixels), expected, atol=1e-6)


def test_other_vision_backbones_train_as_they_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    from transformers import ViTConfig, ViTModel

    folder = tmp_path_factory.mktemp("vit")
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=SIZE,
        patch_size=14,
    )
    ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    model = small_model(small_recipe(str(folder)))
    assert model(_pixels(SIZE)).shape == (4, 8)


def test_an_embedding_is_its_two_parts_side_by_side_under_the_heads_they_were_given() -> None:
    model = build_model(replace(LAPTOP, size=32, embedding_dim=8, color_dim=3)).eval()
    assert model.color is not None
    pixels = _pixels(32, count=24)
    with torch.no_grad():
        shapes = model.shape.backbone(pixels).numpy()
        colors = model.color.statistics(pixels).numpy()
        heads = fit_projection(shapes, 5), fit_projection(colors, 3)
        start_from(model.shape, heads[0])
        start_from(model.color, heads[1])
        found = model(pixels).numpy()
    parts = np.hstack([heads[0].embed(shapes), LAPTOP.color_weight * heads[1].embed(colors)])
    assert np.allclose(found, parts / np.linalg.norm(parts, axis=1, keepdims=True), atol=1e-4)


@pytest.mark.parametrize(
    ("tuning", "trained"),
    [
        ("head", set()),
        ("blocks", {"encoder.layer.1", "layernorm"}),
        ("full", {"encoder.layer.0", "encoder.layer.1", "layernorm", "embeddings"}),
    ],
)
def test_a_recipe_trains_the_blocks_it_names(backbone: str, tuning: str, trained: set[str]) -> None:
    model = small_model(small_recipe(backbone, tuning=tuning, blocks=1))
    names = [name for name, p in model.shape.backbone.model.named_parameters() if p.requires_grad]
    assert {next((t for t in trained if n.startswith(t)), n) for n in names} == trained
    assert not any("patch_embeddings" in name or "mask_token" in name for name in names)
    assert all(p.requires_grad for p in model.shape.head.parameters())


def test_lora_starts_as_the_pretrained_model_and_trains_little_of_it(backbone: str) -> None:
    plain = small_model(small_recipe(backbone, tuning="head")).eval()
    adapted = small_model(small_recipe(backbone, tuning="lora", lora_rank=2)).eval()
    pixels = _pixels(SIZE)
    with torch.no_grad():
        assert torch.equal(plain.shape.backbone(pixels), adapted.shape.backbone(pixels))
    names = [name for name, p in adapted.shape.backbone.named_parameters() if p.requires_grad]
    assert len(names) == 2 * 2 * 2  # blocks, queries and values, up and down


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": LITE0, "size": 40}, "multiple of 32"),
        ({"backbone": LITE0, "size": 32, "tuning": "lora"}, "adapts attention"),
        ({"backbone": LITE0, "size": 32, "tuning": "blocks", "blocks": 99}, "has 18"),
        ({"backbone": LITE0, "size": 32, "blank_from": 245}, "cannot skip patches"),
        ({"size": 30}, "multiple of 14, not 30"),
        ({"backbone": "/nowhere/at/all"}, "cannot load /nowhere/at/all"),
    ],
)
def test_a_model_that_cannot_be_is_refused_in_one_line(
    backbone: str, changes: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UsageError, match=message) as error:
        build_model(replace(small_recipe(backbone), **changes))  # type: ignore[arg-type]
    assert "\n" not in str(error.value)

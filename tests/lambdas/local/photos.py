"""Small photos for the local tests: two colors a garment, a little noise a view."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def garment(item: int, view: int = 0) -> bytes:
    """A PNG; items differ in color and stripes, views of one item only in noise."""
    colors = np.random.default_rng(item).integers(0, 256, (2, 3))
    noise = np.random.default_rng((item, view)).integers(-8, 9, (48, 48, 3))
    stripes = (np.arange(48) // (2 + item % 7) % 2)[:, None, None]
    pixels = np.where(stripes, colors[0], colors[1]) + noise
    out = BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def write_photos(folder: Path, items: range, views: int = 1) -> None:
    """`views` photos of each item, a folder an item."""
    for item in items:
        for view in range(views):
            path = folder / "shop" / f"item-{item:03}" / f"{view}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(garment(item, view))

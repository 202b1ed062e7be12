"""Light: how cameras and pages change a picture. What is random is drawn from a given generator."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

WHITE = (255, 255, 255)


def relit(r: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Another light: gamma, brightness and warmth, as a table of gray levels per channel.

    Pure white stays: it is padding, or a backdrop that says nothing about the light.
    """
    if r.random() < 0.15:
        return image
    levels = np.arange(256) / 255
    warmth = math.exp(r.uniform(-0.12, 0.12))
    tint = math.exp(r.uniform(-0.05, 0.05))
    table = 255 * levels ** math.exp(r.uniform(-0.3, 0.3)) * math.exp(r.uniform(-0.35, 0.15))
    gains = np.array([warmth, tint, 1 / warmth])
    tables = (table[:, None] * gains).clip(0, 255).astype(np.uint8)
    padding = image.min(axis=2) == 255
    changed = np.stack([tables[image[..., c], c] for c in range(3)], axis=2)
    changed[padding] = 255
    return changed


def finished(r: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blur and JPEG, as cameras and pages leave them."""
    picture = Image.fromarray(image)
    if r.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(float(r.uniform(0, 1.0))))
    if r.random() < 0.3:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=int(r.integers(40, 92)))
        picture = Image.open(stream).convert("RGB")
    return np.asarray(picture)


def feathered(r: np.random.Generator, mask: Image.Image) -> Image.Image:
    """An edge that does not tell: what the mask took too much is cut away, and softly."""
    if r.random() < 0.7:
        mask = mask.filter(ImageFilter.MinFilter(3))
    return mask.filter(ImageFilter.GaussianBlur(float(r.uniform(0.4, 1.3))))


def mean_color(r: np.random.Generator, image: Image.Image) -> tuple[int, ...]:
    """What a photo's surroundings may be filled with: its mean color, or white."""
    if r.random() < 0.3:
        return WHITE
    pixel = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return tuple(int(v) for v in pixel)

"""Composites: a shop's garment as if a shopper had photographed it, on another background.

Cut out along its white backdrop, turned, relit, scaled, pasted with its shadow, blurred. What is
random comes from a generator that a name seeds, and no function is used that rounds as the CPU
likes, so with one Pillow the pixels before compression are the same on any x86 CPU.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from lens.evaluation.backdrop import garment_mask
from lens.evaluation.boxes import fractions
from lens.models.regions import Box

WIDTH, HEIGHT = 480, 640  # of a composite, as a page sends a phone's photo
_LONG_SIDE = 512  # of a cut-out before it is turned and scaled
_FEATHER = 1.0  # radius of the blur of a cut-out's edge

_TURN = (-14.0, 14.0)  # degrees
_GAMMA = (0.75, 1.3)
_BRIGHTNESS = (0.7, 1.1)
_WARMTH = (0.9, 1.1)  # red times it, blue divided by it
_ZOOM = (1.0, 1.6)  # of the background, beyond what covers the frame
_BACKGROUND_BLUR = (0.0, 2.0)
_SHARE = (0.55, 0.92)  # of the frame's side that the garment reaches first
_BLUR = (0.0, 1.2)  # of every second composite as a whole
_QUALITY = (45, 85)  # of the JPEG, the last excluded
_SHADOW_OFFSET = (8, 10)
_SHADOW_BLUR = 9
_SHADOW_STRENGTH = 0.4
_VISIBLE = 40  # gray levels of the mask from which a pixel counts as the garment's


@dataclass(frozen=True)
class Cutout:
    """RGB pixels, and of the same size an "L" mask of what is to be pasted."""

    image: Image.Image
    mask: Image.Image


@dataclass(frozen=True)
class Composite:
    """The RGB pixels before compression; where the garment is, as fractions of them."""

    image: Image.Image
    box: Box
    quality: int

    def jpeg(self) -> bytes:
        """The photo that is sent."""
        out = BytesIO()
        self.image.save(out, "JPEG", quality=self.quality)
        return out.getvalue()


def generator(name: str) -> np.random.Generator:
    """The random numbers of a name."""
    return np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:16], 16))


def cut_out(photo: Image.Image) -> Cutout:
    """The garment of a shop's RGB photo; of one without a white backdrop, the whole photo."""
    small = photo
    if max(photo.size) > _LONG_SIDE:
        small = _resized(photo, _LONG_SIDE)
    mask = Image.fromarray(garment_mask(np.asarray(small)).astype(np.uint8) * np.uint8(255))
    mask = mask.filter(ImageFilter.GaussianBlur(_FEATHER))
    return Cutout(_resized(small, _LONG_SIDE), _resized(mask, _LONG_SIDE))


def compose(cutout: Cutout, background: Image.Image, rng: np.random.Generator) -> Composite:
    """Photograph a cut-out on an RGB background."""
    image, mask = _turned(cutout, rng.uniform(*_TURN))
    image = _relit(image, rng)
    scene = _scene(background, rng)
    scale = rng.uniform(*_SHARE) * min(WIDTH / image.width, HEIGHT / image.height)
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    image, mask = image.resize(size), mask.resize(size)
    left = int(rng.integers(0, WIDTH - size[0] + 1))
    top = int(rng.integers(0, HEIGHT - size[1] + 1))
    _cast_shadow(scene, mask, left, top)
    scene.paste(image, (left, top), mask)
    if rng.random() < 0.5:
        scene = scene.filter(ImageFilter.GaussianBlur(rng.uniform(*_BLUR)))
    box = fractions((left, top, left + size[0], top + size[1]), scene.size)
    return Composite(scene, box, int(rng.integers(*_QUALITY)))


def cut_to(photo: Image.Image, box: Box) -> bytes:
    """A photo cut to a box, as a PNG: compressed a second time, it would be another photo."""
    left, right = (round(box[side] * photo.width) for side in (0, 2))
    top, bottom = (round(box[side] * photo.height) for side in (1, 3))
    out = BytesIO()
    cut = photo.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    cut.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _resized(image: Image.Image, long_side: int) -> Image.Image:
    scale = long_side / max(image.size)
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))


def _turned(cutout: Cutout, degrees: float) -> tuple[Image.Image, Image.Image]:
    """Turned, and cut to what there is to see."""
    bicubic = Image.Resampling.BICUBIC
    image = cutout.image.rotate(degrees, bicubic, expand=True, fillcolor="white")
    mask = cutout.mask.rotate(degrees, bicubic, expand=True, fillcolor=0)
    seen = mask.point(lambda level: 255 * (level > _VISIBLE)).getbbox()
    return (image.crop(seen), mask.crop(seen)) if seen else (image, mask)


def _relit(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    gamma, warmth = rng.uniform(*_GAMMA), rng.uniform(*_WARMTH)
    brightness = rng.uniform(*_BRIGHTNESS)
    # Python's own power, by a table: NumPy's differs in the last bit from CPU to CPU.
    table = [
        min(255, round(255 * (level / 255) ** gamma * brightness * tint))
        for tint in (warmth, 1.0, 1 / warmth)
        for level in range(256)
    ]
    return image.point(table)


def _scene(background: Image.Image, rng: np.random.Generator) -> Image.Image:
    scale = max(WIDTH / background.width, HEIGHT / background.height) * rng.uniform(*_ZOOM)
    width = max(WIDTH, round(background.width * scale))
    height = max(HEIGHT, round(background.height * scale))
    left, top = int(rng.integers(0, width - WIDTH + 1)), int(rng.integers(0, height - HEIGHT + 1))
    part = background.resize((width, height)).crop((left, top, left + WIDTH, top + HEIGHT))
    return part.filter(ImageFilter.GaussianBlur(rng.uniform(*_BACKGROUND_BLUR)))


def _cast_shadow(scene: Image.Image, mask: Image.Image, left: int, top: int) -> None:
    shadow = Image.new("L", scene.size, 0)
    shadow.paste(mask, (left + _SHADOW_OFFSET[0], top + _SHADOW_OFFSET[1]))
    shadow = shadow.filter(ImageFilter.GaussianBlur(_SHADOW_BLUR))
    strength = [round(level * _SHADOW_STRENGTH) for level in range(256)]
    scene.paste((0, 0, 0), (0, 0), shadow.point(strength))

"""Scenery: what is around garments in a scene, and things in it that are none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from training.garment.light import feathered, relit

# How many of the things are photographed, where there are such; the rest is drawn.
_PHOTOGRAPHED = 0.5


@dataclass(frozen=True)
class Thing:
    """A thing that is no garment: its face, what of it is seen (an "L" picture of the same size),
    and where its left upper corner goes."""

    face: Image.Image
    alpha: Image.Image
    at: tuple[int, int]


class Scenery:
    """Draws pieces of background pictures, patterns and things."""

    def __init__(
        self,
        backgrounds: Sequence[NDArray[np.uint8]],
        random: np.random.Generator,
        things: Sequence[NDArray[np.uint8]] = (),
    ) -> None:
        """backgrounds: (H, W, 3) uint8. things: (H, W, 4), the last channel opaque where they
        are."""
        self._backgrounds = backgrounds
        self._random = random
        self._things = things

    def canvas(self, side: int) -> Image.Image:
        """A background in a format of cameras, its longer side as given."""
        aspect = float(self._random.choice([0.5625, 0.66, 0.75, 0.75, 1.0, 1.33]))
        width, height = (round(side * aspect), side) if aspect < 1 else (side, round(side / aspect))
        return self.background(width, height)

    def background(self, width: int, height: int) -> Image.Image:
        """A piece of a background picture in another light, or a pattern."""
        r = self._random
        if r.random() < 0.15:
            return Image.fromarray(self._pattern(height, width))
        source = self._backgrounds[int(r.integers(len(self._backgrounds)))]
        h, w = source.shape[:2]
        least = max(width / w, height / h)
        scale = least * r.uniform(1, 2.2) if r.random() < 0.8 else least * 1.001
        cw, ch = min(w, round(width / scale)), min(h, round(height / scale))
        x, y = int(r.integers(0, w - cw + 1)), int(r.integers(0, h - ch + 1))
        piece = Image.fromarray(source[y : y + max(1, ch), x : x + max(1, cw)])
        piece = piece.resize((width, height), Image.Resampling.BILINEAR)
        if r.random() < 0.4:
            piece = piece.filter(ImageFilter.GaussianBlur(float(r.uniform(0, 2))))
        return Image.fromarray(relit(r, np.asarray(piece)))

    def thing(self, canvas: tuple[int, int]) -> Thing:
        """A thing somewhere on a canvas of this size, with the edges that garments have."""
        r = self._random
        if self._things and r.random() < _PHOTOGRAPHED:
            face, alpha = self._photographed(canvas)
        else:
            face, alpha = self._carton(canvas)
        turned = float(r.uniform(-30, 30))
        face = face.rotate(turned, Image.Resampling.BILINEAR)
        alpha = feathered(r, alpha.rotate(turned, Image.Resampling.BILINEAR))
        x = int(r.integers(-face.width // 3, max(1, canvas[0] - face.width // 2)))
        y = int(r.integers(-face.height // 3, max(1, canvas[1] - face.height // 2)))
        return Thing(face, alpha, (x, y))

    def _photographed(self, canvas: tuple[int, int]) -> tuple[Image.Image, Image.Image]:
        r = self._random
        thing = self._things[int(r.integers(len(self._things)))]
        height, width = thing.shape[:2]
        scale = float(r.uniform(0.25, 0.95)) * min(canvas[0] / width, canvas[1] / height)
        size = (max(4, round(width * scale)), max(4, round(height * scale)))
        picture = Image.fromarray(thing)
        if r.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        picture = picture.resize(size, Image.Resampling.BILINEAR)
        face = Image.fromarray(relit(r, np.asarray(picture.convert("RGB"))))
        return face, picture.getchannel("A")

    def _carton(self, canvas: tuple[int, int]) -> tuple[Image.Image, Image.Image]:
        r = self._random
        width, height = (int(side * r.uniform(0.2, 0.85)) + 4 for side in canvas)
        alpha = self._outline(width, height)
        face = self.background(width, height)
        if r.random() < 0.5:
            draw = ImageDraw.Draw(face)
            for _ in range(int(r.integers(1, 8))):
                ends = [(int(r.integers(width)), int(r.integers(height))) for _ in range(2)]
                color = tuple(int(v) for v in r.integers(0, 256, 3))
                draw.line(ends, color, int(r.integers(1, 9)))
        if r.random() < 0.4:  # a label
            letters = "".join(chr(int(c)) for c in r.integers(65, 123, 9))
            place = (int(r.integers(max(1, width // 2))), int(r.integers(height)))
            ink = tuple(int(v) for v in r.integers(0, 256, 3))
            font = ImageFont.load_default(float(r.uniform(8, 30)))
            ImageDraw.Draw(face).text(place, letters, ink, font)
        return face, alpha

    def _outline(self, width: int, height: int) -> Image.Image:
        r = self._random
        alpha = Image.new("L", (width, height), 0)
        draw = ImageDraw.Draw(alpha)
        if r.random() < 0.6:
            number = int(r.integers(3, 9))
            turns = np.sort(r.uniform(0, 2 * math.pi, number))
            far = r.uniform(0.5, 1, number)
            points = [
                ((1 + f * math.cos(t)) * width / 2, (1 + f * math.sin(t)) * height / 2)
                for t, f in zip(turns, far, strict=True)
            ]
            draw.polygon(points, fill=255)
        elif r.random() < 0.5:
            rounding = float(r.uniform(0, min(width, height) / 2))
            draw.rounded_rectangle((0, 0, width, height), rounding, fill=255)
        else:
            draw.ellipse((0, 0, width, height), fill=255)
        return alpha

    def _pattern(self, height: int, width: int) -> NDArray[np.uint8]:
        r = self._random
        base = r.uniform(20, 245, (1, 1, 3))
        x, y = np.arange(width)[None, :, None], np.arange(height)[:, None, None]
        wave = np.sin((x * r.uniform(-1, 1) + y * r.uniform(-1, 1)) / r.uniform(1, 14))
        slope = (x / width - 0.5) * r.normal(0, 40) + (y / height - 0.5) * r.normal(0, 40)
        noise = r.normal(0, r.uniform(0, 12), (height, width, 1))
        levels = base + wave * r.uniform(0, 30) + slope + noise
        return levels.clip(0, 255).astype(np.uint8)

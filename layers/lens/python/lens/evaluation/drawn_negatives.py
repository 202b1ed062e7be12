"""Drawn negatives: photos without a garment that no collection has, made from a seed.

A carton is drawn as a cut-out, so that it can be photographed as garments are: whoever tells
garments by pasted edges, feathered rims or shadows takes it for one.
"""

from __future__ import annotations

import string

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from lens.evaluation.composites import HEIGHT, WIDTH, Composite, Cutout

_LONG_SIDE = 512
_MARGIN = 6  # of the cut-out's transparent rim
_LETTERS = np.array(list(string.ascii_lowercase))
_Color = tuple[int, int, int]


def carton(rng: np.random.Generator) -> Cutout:
    """A carton: a front with a label, words and perhaps stripes, and a side in the shade."""
    width, height = (int(each) for each in rng.integers(260, _LONG_SIDE - 2 * _MARGIN, 2))
    base, ink = _color(rng), _color(rng)
    image = Image.new("RGB", (width + 2 * _MARGIN, height + 2 * _MARGIN), "white")
    draw = ImageDraw.Draw(image)
    front = (_MARGIN, _MARGIN, _MARGIN + width, _MARGIN + height)
    draw.rectangle(front, fill=base)
    side = round(width * rng.uniform(0.0, 0.3))
    draw.rectangle((front[2] - side, front[1], front[2], front[3]), fill=_shaded(base))
    face = (front[0], front[1], front[2] - side, front[3])
    if rng.random() < 0.5:
        _stripes(draw, face, ink, rng)
    _label(draw, face, ink, rng)
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rectangle(front, fill=255)
    return Cutout(image, mask.filter(ImageFilter.GaussianBlur(1.0)))


def page_of_text(rng: np.random.Generator) -> Composite:
    """A page that fills the frame, lit from one side and a little turned."""
    paper = tuple(int(each) for each in rng.integers(205, 256, 3))
    ink = tuple(int(each) for each in rng.integers(0, 90, 3))
    page = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), paper)
    draw = ImageDraw.Draw(page)
    size = int(rng.integers(14, 40))
    font = ImageFont.load_default(size)
    for top in range(0, page.height, round(size * rng.uniform(1.3, 1.8))):
        if rng.random() < 0.85:
            draw.text((0, top), _words(rng, page.width // size * 2), fill=ink, font=font)
    page = page.rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC)
    left, top = WIDTH // 2, HEIGHT // 2
    page = page.crop((left, top, left + WIDTH, top + HEIGHT))
    light = Image.linear_gradient("L").resize(page.size).point([level // 3 for level in range(256)])
    if rng.random() < 0.5:
        light = light.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    page.paste((0, 0, 0), (0, 0), light)
    page = page.filter(ImageFilter.GaussianBlur(rng.uniform(0.0, 1.5)))
    return Composite(page, (0.0, 0.0, 1.0, 1.0), int(rng.integers(45, 85)))


def _stripes(
    draw: ImageDraw.ImageDraw,
    face: tuple[int, int, int, int],
    ink: _Color,
    rng: np.random.Generator,
) -> None:
    step = int(rng.integers(18, 90))
    for top in range(face[1] + step, face[3], 2 * step):
        draw.rectangle((face[0], top, face[2], min(top + step // 2, face[3])), fill=ink)


def _label(
    draw: ImageDraw.ImageDraw,
    face: tuple[int, int, int, int],
    ink: _Color,
    rng: np.random.Generator,
) -> None:
    left, top, right, bottom = face
    across, down = (right - left) // 8, round((bottom - top) * rng.uniform(0.15, 0.35))
    draw.rectangle((left + across, top + down, right - across, bottom - down), fill=_color(rng))
    size = int(rng.integers(20, 48))
    font = ImageFont.load_default(size)
    letters = max(4, (right - left - 2 * across) // size * 3 // 2)
    for line in range(3):
        place = (left + across + 8, top + down + 8 + round(line * size * 1.3))
        draw.text(place, _words(rng, letters), fill=ink, font=font)


def _words(rng: np.random.Generator, letters: int) -> str:
    text = "".join(rng.choice(_LETTERS, letters))
    cuts = np.cumsum(rng.integers(2, 10, letters))
    starts = [0, *(int(cut) for cut in cuts if cut < letters)]
    ends = [*starts[1:], letters]
    return " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))


def _color(rng: np.random.Generator) -> _Color:
    red, green, blue = (int(each) for each in rng.integers(20, 246, 3))
    return red, green, blue


def _shaded(color: _Color) -> _Color:
    red, green, blue = (round(each * 0.72) for each in color)
    return red, green, blue

"""Fabrics: the color of the cloth at every point, from its pattern, its weave and its palette.

Patterns are functions of the cloth's own coordinates, not of the photo, so that a stripe stays as
wide in the detail photo and bends with the folds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
Color = tuple[int, int, int]

# The shop's palette; one place, so that the assortment looks bought by one person.
COLORS: dict[str, Color] = {
    "white": (244, 243, 239), "ivory": (240, 232, 214), "cream": (232, 219, 193),
    "sand": (212, 190, 158), "camel": (190, 146, 98), "tan": (173, 124, 82),
    "cocoa": (112, 78, 60), "espresso": (70, 52, 46), "black": (42, 42, 46),
    "charcoal": (78, 81, 88), "gray": (151, 154, 158), "silver": (201, 203, 206),
    "navy": (38, 52, 86), "indigo": (58, 78, 122), "denim": (88, 120, 164),
    "sky": (158, 191, 222), "ice": (205, 221, 232), "teal": (38, 112, 118),
    "petrol": (30, 78, 92), "mint": (176, 213, 194), "sage": (157, 174, 145),
    "olive": (108, 112, 70), "forest": (44, 84, 66), "lime": (190, 201, 104),
    "butter": (243, 220, 140), "mustard": (212, 164, 58), "apricot": (240, 180, 134),
    "coral": (231, 118, 96), "rust": (180, 84, 50), "red": (190, 48, 52),
    "wine": (112, 36, 54), "rose": (216, 142, 150), "blush": (238, 205, 198),
    "fuchsia": (198, 66, 122), "lilac": (192, 174, 214), "plum": (98, 62, 100),
    "cobalt": (44, 84, 176), "gum": (188, 138, 92), "brass": (190, 158, 96),
    "steel": (176, 180, 186), "wood": (196, 154, 110),
}  # fmt: skip


@dataclass(frozen=True)
class Fabric:
    """A pattern of up to three colors, `pitch` units wide, on a weave."""

    ground: Color
    accent: Color = COLORS["white"]
    third: Color = COLORS["black"]
    pattern: str = "plain"
    weave: str = "jersey"
    pitch: float = 6.0


def paint(fabric: Fabric, u: Plane, v: Plane, pixel: float) -> NDArray[np.float32]:
    """The cloth's color (H, W, 3), 0-1, at the points (u, v); `pixel` is a pixel's width in units.

    An edge in a pattern is one pixel soft, which is all the antialiasing that it needs.
    """
    ground, accent, third = (
        np.asarray(color, dtype=np.float32) / 255
        for color in (fabric.ground, fabric.accent, fabric.third)
    )
    color = np.broadcast_to(ground, (*u.shape, 3))
    for share, ink in zip(
        _pattern(fabric.pattern, u, v, fabric.pitch, pixel), (accent, third), strict=False
    ):
        color = color + share[..., None] * (ink - color)
    texture = _weave(fabric.weave, u, v, pixel)
    return np.asarray(color * texture[..., None], dtype=np.float32)


def _inside(distance: Plane, pixel: float) -> Plane:
    """1 where the distance is positive, 0 where negative, a pixel's ramp between."""
    covered: Plane = np.clip(distance / pixel + 0.5, 0, 1)
    return covered


def _line(x: Plane, pitch: float, width: float, pixel: float) -> Plane:
    """Lines of a width, one every pitch."""
    return _inside(width / 2 - np.abs((x / pitch) % 1 - 0.5) * pitch, pixel)


def _chance(i: Plane, j: Plane, salt: int) -> Plane:
    """A number in [0, 1) that looks random, the same for the same cell everywhere."""
    n = i.astype(np.int32).view(np.uint32) * np.uint32(73856093)
    n ^= j.astype(np.int32).view(np.uint32) * np.uint32(19349663)
    n ^= np.uint32(salt * 83492791 % 2**32)
    n ^= n >> np.uint32(13)
    n *= np.uint32(1274126177)
    n >>= np.uint32(16)
    return n.astype(np.float32) / np.float32(65536)


def _scattered(u: Plane, v: Plane, pitch: float, salt: int) -> tuple[Plane, Plane, Plane]:
    """Motifs strewn about, one a cell: the way to the nearest one's center, and its chance."""
    row = np.floor(v / pitch)
    x = u + (row % 2) * pitch / 2
    column = np.floor(x / pitch)
    dx = x - (column + 0.36 + 0.28 * _chance(column, row, salt)) * pitch
    dy = v - (row + 0.36 + 0.28 * _chance(column, row, salt + 1)) * pitch
    return dx, dy, _chance(column, row, salt + 2)


def _pattern(name: str, u: Plane, v: Plane, pitch: float, pixel: float) -> tuple[Plane, ...]:
    """How much of the accent, then of the third color, covers each point."""
    match name:
        case "stripes":
            return (_line(v, pitch, pitch * 0.5, pixel),)
        case "breton":
            return (_line(v, pitch, pitch * 0.3, pixel),)
        case "pinstripe":
            return (_line(u, pitch, pitch * 0.14, pixel),)
        case "bold stripe":
            return (_line(u, pitch, pitch * 0.45, pixel),)
        case "gingham":
            over, up = _line(u, pitch, pitch / 2, pixel), _line(v, pitch, pitch / 2, pixel)
            return ((over + up) * 0.46,)
        case "plaid":
            over, up = _line(u, pitch, pitch * 0.42, pixel), _line(v, pitch, pitch * 0.42, pixel)
            thin = np.maximum(
                _line(u + pitch / 2, pitch, pitch * 0.06, pixel),
                _line(v + pitch / 2, pitch, pitch * 0.06, pixel),
            )
            return (over + up) * 0.36, thin * 0.75
        case "windowpane":
            return (
                np.maximum(
                    _line(u, pitch, pitch * 0.07, pixel), _line(v, pitch, pitch * 0.07, pixel)
                ),
            )
        case "dots":
            row = np.floor(v / pitch)
            x = (u / pitch + (row % 2) / 2) % 1 - 0.5
            y = (v / pitch) % 1 - 0.5
            return (_inside((0.24 - np.hypot(x, y)) * pitch, pixel),)
        case "floral":
            return _flowers(u, v, pitch, pixel)
        case "leaves":
            dx, dy, chance = _scattered(u, v, pitch, 5)
            turn = chance * 6.28
            along = dx * np.cos(turn) + dy * np.sin(turn)
            across = np.abs(dy * np.cos(turn) - dx * np.sin(turn))
            blade = 0.2 * pitch * (1 - (along / (0.46 * pitch)) ** 2) - across
            vein = _inside(0.025 * pitch - across, pixel) * _inside(blade, pixel)
            return _inside(blade, pixel) * (1 - vein * 0.8), _inside(blade, pixel) * (chance > 0.62)
        case "block":
            return _inside(v - 46, pixel), _inside(v - 46 - pitch, pixel)
        case "chest band":
            band = _inside(pitch / 2 - np.abs(v - 46), pixel)
            return band, _inside(pitch / 8 - np.abs(v - 46), pixel)
        case "fair isle":
            x, y = (u / 4) % 1 - 0.5, (v / 4) % 1 - 0.5
            yoke = ((v > 27) & (v < 47)).astype(np.float32)
            diamond = _inside((0.34 - np.abs(x) - np.abs(y)) * 4, pixel) * yoke
            edge = _line(v, 4, 0.6, pixel) * yoke
            return np.maximum(diamond, edge), _inside(
                (0.14 - np.abs(x) - np.abs(y)) * 4, pixel
            ) * yoke
        case _:
            return ()


def _flowers(u: Plane, v: Plane, pitch: float, pixel: float) -> tuple[Plane, Plane]:
    dx, dy, chance = _scattered(u, v, pitch, 9)
    reach = np.hypot(dx, dy)
    petals = 0.62 + 0.38 * np.abs(np.cos(2.5 * np.arctan2(dy, dx) + chance * 3.14)) ** 0.6
    size = pitch * (0.24 + 0.14 * chance)
    bloom = _inside(size * petals - reach, pixel)
    small_dx, small_dy, _ = _scattered(u + pitch / 2, v + pitch * 0.4, pitch * 0.7, 31)
    leaf = _inside(0.1 * pitch - np.hypot(small_dx, small_dy * 1.8), pixel) * (1 - bloom)
    return bloom, np.maximum(_inside(size * 0.3 - reach, pixel), leaf)


def _weave(name: str, u: Plane, v: Plane, pixel: float) -> Plane:
    """The brightness of the cloth's surface, about 1; finer than a pixel it fades away."""
    fade = float(np.clip(0.55 / pixel - 0.9, 0.25, 1))
    match name:
        case "knit" | "cable":
            pitch = 1.15 if name == "knit" else 2.0
            x = np.abs((u / pitch) % 1 - 0.5)
            stitch = np.cos((v / pitch * 1.25 + x * 1.3) * 6.2832) * 0.06 - (x < 0.09) * 0.09
            if name == "cable":
                twist = np.sin(v * 0.7 + 2.2 * np.sin(u * 0.42)) * np.abs(np.sin(u * 0.21))
                return np.asarray(1 + stitch * fade + 0.09 * twist, dtype=np.float32)
            return np.asarray(1 + stitch * fade, dtype=np.float32)
        case "rib":
            return np.asarray(1 - 0.16 * (np.cos(u * 6.2832 / 1.5) > 0.35), dtype=np.float32)
        case "denim":
            twill = np.sin((u + v) * 9.0) * 0.05 * fade
            thread = _chance(np.floor(u / 0.22), np.floor(v / 1.1), 3) - 0.5
            return np.asarray(1 + twill + thread * 0.12, dtype=np.float32)
        case "linen":
            slub = _chance(np.floor(u / 0.3), np.floor(v / 3.1), 4)
            weft = _chance(np.floor(u / 3.3), np.floor(v / 0.3), 6)
            return np.asarray(0.96 + 0.045 * (slub + weft), dtype=np.float32)
        case "quilt":
            tuck = np.abs(np.sin((v - 14) * np.pi / 8.5))
            return np.asarray(0.72 + 0.3 * tuck**0.45 + 0.05 * np.cos(v * 0.739), dtype=np.float32)
        case "tweed":
            fleck = _chance(np.floor(u / 0.5), np.floor(v / 0.5), 8) - 0.5
            return np.asarray(1 + 0.2 * fleck, dtype=np.float32)
        case "smooth":
            return np.ones_like(u)
        case _:
            grain = _chance(np.floor(u / 0.35), np.floor(v / 0.35), 2) - 0.5
            return np.asarray(1 + 0.035 * grain, dtype=np.float32)

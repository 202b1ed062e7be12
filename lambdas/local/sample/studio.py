"""The studio: how a sewn garment is hung, turned, lit and photographed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from lambdas.local.sample.cloth import Window, sew
from lambdas.local.sample.fabrics import Color, Fabric
from lambdas.local.sample.outlines import SHEET, Garment, Panel, band, curve

PHOTO = (480, 600)
SOFT = 4  # the backdrop is drawn this many times smaller: it is out of focus
Pixels = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Scene:
    """A backdrop and its light."""

    wall: Color
    floor: Color | None = None
    exposure: float = 1.0
    warmth: float = 0.0  # -1 cool to 1 warm
    vignette: float = 0.1
    beam: float = 0.0  # strength of the window's light on the wall


@dataclass(frozen=True)
class Pose:
    """Where the garment is in the photo, as fractions of it, and how it is turned."""

    x: float = 0.5
    y: float = 0.5
    size: float = 1.0
    tilt: float = 0.0  # degrees
    turn: float = 0.0  # degrees around the upright axis


def photograph(
    sewn: Image.Image,
    scene: Scene,
    pose: Pose,
    rng: np.random.Generator,
    *,
    standing: bool = False,
) -> Image.Image:
    """The whole garment before the scene's backdrop, at PHOTO's size."""
    placed = sewn.transform(
        PHOTO, Image.Transform.PERSPECTIVE, _warp(pose, sewn.size), Image.Resampling.BILINEAR
    )
    if pose.turn:
        across = np.linspace(0.5, -0.5, PHOTO[0]) * np.sin(np.radians(pose.turn)) * 0.42
        shade = np.broadcast_to((np.clip(0.93 + across, 0, 1) * 255).astype(np.uint8), PHOTO[::-1])
        shaded = ImageChops.multiply(placed.convert("RGB"), _gray(shade))
        shaded.putalpha(placed.getchannel("A"))
        placed = shaded
    return _develop(placed, scene, pose.size, rng, standing)


def close_up(
    garment: Garment,
    fabrics: Mapping[str, Fabric],
    scene: Scene,
    span: float,
    rng: np.random.Generator,
) -> Image.Image:
    """A detail, `span` units wide, around the garment's focus."""
    x, y = np.asarray(garment.focus) + rng.uniform(-3, 3, 2)
    scale = PHOTO[0] / float(span)
    corner = (float(x) - span / 2, float(y) - PHOTO[1] / scale / 2)
    return _develop(sew(garment, fabrics, Window(*corner, scale, *PHOTO)), scene, 1.6, rng, False)


def sewn_whole(garment: Garment, fabrics: Mapping[str, Fabric], size: float = 1.0) -> Image.Image:
    """The whole garment, RGBA, cropped to itself and sewn as large as the photo will show it.

    `size` is a share of the photo; small garments are brought nearer, but not quite as near as
    would make a pair of shorts as large as a coat.
    """
    points = np.vstack([panel.outline for panel in garment.panels])
    (left, top), (right, bottom) = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    fit = min(0.98 * PHOTO[0] / (right - left), 0.95 * PHOTO[1] / (bottom - top))
    scale = float(size) * min(float(fit), 1.25 * PHOTO[0] / SHEET[0])
    wide, high = round((right - left) * scale), round((bottom - top) * scale)
    return sew(garment, fabrics, Window(float(left), float(top), scale, wide, high))


def hung(garment: Garment, *, by_waist: bool, at: float) -> Garment:
    """The garment on a hanger: by its shoulders, or by clips at its waist."""
    top = at - 12
    hook = curve((0, at - 2), (0, top + 3), (3.4, top - 1), (1.6, top - 4.6), (-2.2, top - 3.4))
    wire = Panel(band(hook, 0.9), "hardware", lift=0.1, bulge=0.5)
    if by_waist:
        bar = Panel(band(curve((-17, at - 1.6), (0, at - 3), (17, at - 1.6)), 2.6), "wood")
        clips = [
            Panel(band(np.array([(x, at - 3.4), (x, at + 3.2)]), 3.0), "hardware", lift=0.4)
            for x in (-12.5, 12.5)
        ]
        return replace(garment, panels=(wire, bar, *garment.panels, *clips))
    bar = Panel(
        band(curve((-21, at + 7), (-7, at), (0, at - 2), (7, at), (21, at + 7)), 3.0), "wood"
    )
    return replace(garment, panels=(wire, bar, *garment.panels))


def _warp(pose: Pose, sewn: tuple[int, int]) -> tuple[float, ...]:
    """The eight numbers that take a pixel of the photo to one of the sewn picture."""
    tilt, turn = np.radians(pose.tilt), np.radians(pose.turn)
    middle = np.array([[1, 0, -sewn[0] / 2], [0, 1, -sewn[1] / 2], [0, 0, 1]])
    # A plane turned about the upright axis, seen from three photo widths away.
    away = 3.0 * PHOTO[0]
    spin = np.array([[np.cos(turn), 0, 0], [0, 1, 0], [np.sin(turn) / away, 0, 1]])
    roll = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    place = np.array([[1, 0, pose.x * PHOTO[0]], [0, 1, pose.y * PHOTO[1]], [0, 0, 1]])
    back = np.linalg.inv(place @ roll @ spin @ middle)
    return tuple(float(n) for n in (back / back[2, 2]).reshape(-1)[:8])


def _backdrop(scene: Scene, standing: bool) -> Pixels:
    wide, high = PHOTO[0] // SOFT, PHOTO[1] // SOFT
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    x, y = x / wide - 0.5, y / high - 0.5
    wall = np.asarray(scene.wall, dtype=np.float32) / 255
    out = wall * (1.03 - 0.1 * np.hypot(x + 0.12, y + 0.18))[..., None]
    if scene.beam:
        slant = x + y * 0.55 + 0.16
        pane = np.clip((0.19 - np.abs(slant)) * 14, 0, 1)
        pane *= 1 - np.clip((0.012 - np.abs(slant + 0.01)) * 90, 0, 1)
        out = out * (0.95 + scene.beam * pane)[..., None]
    if scene.floor is not None:
        floor = np.asarray(scene.floor, dtype=np.float32) / 255
        ground = np.clip((y - (0.19 if standing else 0.4)) * 160, 0, 1)[..., None]
        out = out + ground * (floor * (1.05 - 0.2 * (y[..., None] + 0.5)) - out)
    return np.asarray(out, dtype=np.float32)


def _shadow(alpha: Image.Image, size: float, standing: bool) -> Pixels:
    """What the garment's shadow leaves of the light on the backdrop."""
    small = alpha.reduce(SOFT)
    near, far = _thrown(small, 1.3 * size, (1, 2)), _thrown(small, 6.0 * size, (3, 6))
    if not standing:
        return np.asarray(1 - 0.2 * near - 0.24 * far)
    left, _, right, bottom = small.getbbox() or (0, 0, *small.size)
    y, x = np.mgrid[0 : small.height, 0 : small.width].astype(np.float32)
    half = (right - left) / 2
    pool = np.hypot((x - (left + right) / 2) / half, (y - bottom + 1) / (0.1 * half))
    return np.asarray(1 - 0.42 * np.clip(1.16 - pool, 0, 1) ** 0.8 - 0.1 * far)


def _thrown(small: Image.Image, blur: float, by: tuple[int, int]) -> Pixels:
    moved = Image.new("L", small.size)
    moved.paste(small, by)
    return np.asarray(moved.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32) / 255


def _develop(
    placed: Image.Image, scene: Scene, size: float, rng: np.random.Generator, standing: bool
) -> Image.Image:
    """The photo: backdrop, shadow, garment, then the light's strength and color and the grain."""
    alpha = placed.getchannel("A")
    back = _backdrop(scene, standing) * _shadow(alpha, size, standing)[..., None]
    photo = Image.fromarray(np.clip(back * 255, 0, 255).astype(np.uint8)).resize(
        PHOTO, Image.Resampling.BICUBIC
    )
    photo.paste(placed.convert("RGB"), (0, 0), alpha)
    gains = (1 + 0.045 * scene.warmth, 1 + 0.005 * scene.warmth, 1 - 0.06 * scene.warmth)
    levels = [
        min(255, round(level * gain * scene.exposure)) for gain in gains for level in range(256)
    ]
    y = np.linspace(-1, 1, PHOTO[1], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, PHOTO[0], dtype=np.float32)[None, :]
    fall = ((1 - scene.vignette * 0.5 * (x * x + y * y)) * 255).astype(np.uint8)
    photo = ImageChops.multiply(photo.point(levels), _gray(fall))
    pixels = np.asarray(photo).astype(np.int16)
    pixels += rng.integers(-2, 3, (*PHOTO[::-1], 1), dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def _gray(level: NDArray[np.uint8]) -> Image.Image:
    return Image.merge("RGB", [Image.fromarray(np.ascontiguousarray(level))] * 3)

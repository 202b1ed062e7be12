"""Sewn pictures: a garment's panels, filled with fabric, shaded by light from the upper left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from lambdas.local.sample.fabrics import Fabric, paint
from lambdas.local.sample.outlines import Fold, Garment, Panel, Points

FINE = 3  # outlines are drawn this many times larger, then averaged
Plane = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Window:
    """The part of the sheet that a picture shows: its upper left corner, and pixels per unit."""

    left: float
    top: float
    scale: float
    width: int
    height: int

    def pixels(self, points: Points) -> Points:
        return (points - (self.left, self.top)) * self.scale


def sew(garment: Garment, fabrics: Mapping[str, Fabric], window: Window) -> Image.Image:
    """The garment alone, as RGBA."""
    rgb = np.zeros((window.height, window.width, 3), dtype=np.float32)
    alpha = np.zeros((window.height, window.width), dtype=np.float32)
    height = _relief(garment.folds, window)
    lit = 1 + 5.5 * _slope(height, window.scale)
    for panel in garment.panels:
        _lay(panel, fabrics[panel.cloth], window, height, lit, rgb, alpha)
    out = np.empty((window.height, window.width, 4), dtype=np.uint8)
    rgb *= 255
    out[..., :3] = np.clip(rgb, 0, 255, out=rgb)
    out[..., 3] = alpha * 255
    return Image.fromarray(out)


def _relief(folds: tuple[Fold, ...], window: Window) -> Plane:
    """The height of the cloth, about -1 to 1, drawn at half size: it is smooth anyway."""
    size = (window.width // 2, window.height // 2)
    sharp, soft = (Image.new("L", size, 128) for _ in range(2))
    for each in folds:
        for image, wider in ((sharp, 1.0), (soft, 2.4)):
            ImageDraw.Draw(image).polygon(
                _spindle(each, window, wider), fill=int(128 + 110 * np.clip(each.height, -1, 1))
            )
    scale = window.scale / 2
    sharp = sharp.filter(ImageFilter.GaussianBlur(0.75 * scale))
    soft = soft.filter(ImageFilter.GaussianBlur(2.4 * scale))
    both = Image.blend(sharp, soft, 0.55).resize(
        (window.width, window.height), Image.Resampling.BILINEAR
    )
    return (np.asarray(both, dtype=np.float32) - 128) / 110


def _spindle(fold: Fold, window: Window, wider: float) -> list[tuple[float, float]]:
    """The fold's footprint: pointed where it starts, widest past its middle."""
    spine = window.pixels(fold.spine) / 2
    step = np.gradient(spine, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1)
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None]
    along = np.linspace(0, 1, len(spine))
    half = np.sin(np.pi * along**0.8) * 0.85 + 0.15 * along
    half = (half * fold.width * wider * window.scale / 4)[:, None]
    return [tuple(p) for p in np.vstack([spine + normal * half, (spine - normal * half)[::-1]])]


def _slope(height: Plane, scale: float) -> Plane:
    """How much the surface faces the light, per unit of the sheet."""
    facing = np.zeros_like(height)
    facing[:, 1:-1] += 0.8 * (height[:, 2:] - height[:, :-2])
    facing[1:-1] += 0.6 * (height[2:] - height[:-2])
    return facing * (scale / 2 * 0.09)


def _lay(
    panel: Panel,
    fabric: Fabric,
    window: Window,
    height: Plane,
    lit: Plane,
    rgb: Plane,
    alpha: Plane,
) -> None:
    """Put a panel onto the pile, in place: its shadow on what lies beneath, then itself."""
    points = window.pixels(panel.outline)
    reach = 1.3 * window.scale  # of the rounded edge and the shadow
    pad = int(reach * 2.5) + 2
    x0, y0 = (int(max(0, v - pad)) for v in points.min(axis=0))
    x1 = int(min(window.width, points[:, 0].max() + pad))
    y1 = int(min(window.height, points[:, 1].max() + pad))
    down, right = round(0.5 * window.scale), round(0.35 * window.scale)
    if min(x1 - x0, y1 - y0) <= down + 1:
        return
    size = (x1 - x0, y1 - y0)
    shape = Image.new("L", (size[0] * FINE, size[1] * FINE))
    pen = ImageDraw.Draw(shape)
    pen.polygon([tuple(p) for p in (points - (x0, y0)) * FINE], fill=255)
    shape = shape.reduce(FINE)
    cover = np.asarray(shape, dtype=np.float32) / 255
    soft = np.asarray(shape.filter(ImageFilter.GaussianBlur(reach)), dtype=np.float32) / 255
    here = np.s_[y0:y1, x0:x1]
    if panel.lift:
        # By padding, not rolling: a roll brings the far edge's shadow to the near edge.
        dark = np.pad(soft[:-down, :-right], ((down, 0), (right, 0)), mode="edge")
        dark *= -panel.lift
        dark += 1
        rgb[here] *= dark[..., None]

    u = (np.arange(x0, x1, dtype=np.float32) / window.scale + window.left)[None, :]
    v = (np.arange(y0, y1, dtype=np.float32) / window.scale + window.top)[:, None]
    turn = np.radians(panel.grain)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    bend = height[here] * np.float32(1.1)
    u, v = (u * cos - v * sin) + bend * (cos - sin), (u * sin + v * cos) + bend * (sin + cos)
    color = paint(fabric, u, v, 1 / window.scale)

    shade = panel.shade * lit[here]
    if panel.bulge:
        edge = np.clip(soft * 2 - 1, 0, 1)
        edge -= 1
        edge *= edge
        shade *= 1 - 0.2 * min(panel.bulge, 1.2) * edge
        shade += 1.5 * panel.bulge * _slope(soft, window.scale) * (2.0 - shade)
    color *= np.clip(shade, 0.2, 1.6)[..., None]
    if panel.seams:
        groove = _strokes(panel.seams, window, (x0, y0), size, 0.42, dashed=False)
        color *= (1 - 0.42 * groove + 0.14 * np.roll(groove, 2, 1))[..., None]
    if panel.stitches:
        thread = _strokes(panel.stitches, window, (x0, y0), size, 0.3, dashed=True)[..., None]
        tone = np.asarray(fabric.accent if fabric.weave == "denim" else fabric.ground) / 255
        tone = tone * (0.72 if tone.mean() > 0.35 else 1.0) + (0 if tone.mean() > 0.35 else 0.16)
        color += 0.75 * thread * (tone.astype(np.float32) - color)
    color -= rgb[here]
    color *= cover[..., None]
    rgb[here] += color
    np.maximum(alpha[here], cover, out=alpha[here])


def _strokes(
    lines: tuple[Points, ...],
    window: Window,
    corner: tuple[int, int],
    size: tuple[int, int],
    width: float,
    *,
    dashed: bool,
) -> Plane:
    image = Image.new("L", (size[0] * 2, size[1] * 2))
    pen = ImageDraw.Draw(image)
    wide = max(1, round(width * window.scale * 2))
    for line in lines:
        at = (window.pixels(line) - corner) * 2
        if dashed:
            gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(at, axis=0).T))])
            dash = 1.05 * window.scale * 2
            marks = np.arange(0, gone[-1], dash)
            for a, b in ((marks, marks + dash * 0.62),):
                starts = np.stack([np.interp(a, gone, at[:, k]) for k in (0, 1)], 1)
                ends = np.stack([np.interp(b, gone, at[:, k]) for k in (0, 1)], 1)
                for start, end in zip(starts, ends, strict=True):
                    pen.line([*start, *end], fill=255, width=wide)
        else:
            pen.line([tuple(p) for p in at], fill=255, width=wide)
    return np.asarray(image.reduce(2), dtype=np.float32) / 255

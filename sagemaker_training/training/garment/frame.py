"""Frames: which part of a picture a view shows, how it is turned, and where boxes go in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.garment.labels import Box


@dataclass(frozen=True)
class Frame:
    """Where the pixels of a view come from: source = origin + x * across + y * down."""

    size: tuple[int, int]
    origin: tuple[float, float]
    across: tuple[float, float]
    down: tuple[float, float]

    def take(self, image: Image.Image, fill: float | tuple[int, ...]) -> Image.Image:
        """The pixels of a picture in this frame; `fill` beyond the picture."""
        (ax, ay), (dx, dy), (ox, oy) = self.across, self.down, self.origin
        return image.transform(
            self.size,
            Image.Transform.AFFINE,
            (ax, dx, ox, ay, dy, oy),
            Image.Resampling.BILINEAR,
            fillcolor=fill,
        )

    def box(self, box: Box) -> Box:
        """The upright box around a box of the picture, in this frame."""
        matrix = np.array([self.across, self.down]).T
        corners = np.array([[x, y] for x in box[::2] for y in box[1::2]]) - self.origin
        there = np.linalg.solve(matrix, corners.T).T
        (x0, y0), (x1, y1) = there.min(axis=0), there.max(axis=0)
        return (float(x0), float(y0), float(x1), float(y1))


def frame_around(
    center: tuple[float, float], size: tuple[int, int], step: float, angle: float, flip: bool
) -> Frame:
    """A frame of this size around a point of the picture, turned by `angle` (radians).

    step: how many of the picture's pixels a pixel of the frame is.
    """
    cos, sin = math.cos(angle) * step, math.sin(angle) * step
    across, down = (-cos if flip else cos, -sin if flip else sin), (-sin, cos)
    origin = (
        center[0] - across[0] * size[0] / 2 - down[0] * size[1] / 2,
        center[1] - across[1] * size[0] / 2 - down[1] * size[1] / 2,
    )
    return Frame(size, origin, across, down)

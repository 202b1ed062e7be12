"""Boxes: those that are measured against."""

from __future__ import annotations

from lens.models.regions import Box

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def fractions(pixels: tuple[int, int, int, int], photo_size: tuple[int, int]) -> Box:
    """A box in pixels of a photo of this width and height, as fractions of it."""
    width, height = photo_size
    left, top, right, bottom = pixels
    return left / width, top / height, right / width, bottom / height

"""Boxes: how much two of them have in common."""

from __future__ import annotations

from lens.models.regions import Box

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1; of two empty boxes 0."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def fractions(pixels: tuple[int, int, int, int], photo_size: tuple[int, int]) -> Box:
    """A box in pixels of a photo of this width and height, as fractions of it."""
    width, height = photo_size
    left, top, right, bottom = pixels
    return left / width, top / height, right / width, bottom / height


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)

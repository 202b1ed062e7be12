"""Covering: a photo's part as it is embedded, and the same with some of its places covered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.models.regions import Box, pixels_of

Picture = Image.Image


def part_of(image: Picture, box: Box | None) -> Picture:
    """What of a photo is embedded for a box; None: the whole."""
    return image if box is None else image.crop(pixels_of(box, image.size))


def covered(part: Picture, chosen: NDArray[np.bool_]) -> Picture:
    """A copy of a part of a photo, the chosen ones of its places covered by its mean color."""
    red, green, blue = part.resize((1, 1), Image.Resampling.BOX, reducing_gap=1).tobytes()
    rows, columns = chosen.shape
    place = max(part.size) / max(rows, columns)
    copy = part.copy()
    left, top = (part.width - columns * place) / 2, (part.height - rows * place) / 2
    for row, column in np.argwhere(chosen):
        x, y = left + column * place, top + row * place
        edges = round(x), round(y), round(x + place), round(y + place)
        copy.paste((red, green, blue), edges)
    return copy

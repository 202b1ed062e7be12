"""Outfits: one photo of two, so that people in the street, in two garments each, are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.garment.labels import Box, Labeled
from training.garment.light import WHITE


def dressed(top: Labeled, bottom: Labeled) -> Labeled | None:
    """One photo of two: who wears `top`, from its lower edge on as who wears `bottom`; None where
    their outlines do not tell how to join them."""
    if top.mask is None or bottom.mask is None or top.cut_out is None or bottom.cut_out is None:
        return None
    upper, lower = top.places[0][1], bottom.places[0][1]
    hem, waist = int(upper[3] - 0.06 * (upper[3] - upper[1])), int(lower[1] + 2)
    hip, belt = _span(top.mask, hem), _span(bottom.mask, waist)
    if hip is None or belt is None:
        return None
    scale = 0.92 * (hip[1] - hip[0]) / (belt[1] - belt[0])
    if not 0.3 < scale < 3:
        return None
    piece_box = (0, max(0, waist - 1), bottom.image.shape[1], bottom.image.shape[0])
    size = (round(piece_box[2] * scale), max(1, round((piece_box[3] - piece_box[1]) * scale)))
    width = top.image.shape[1]
    shift = round((hip[0] + hip[1]) / 2 - (belt[0] + belt[1]) / 2 * scale)
    left, right = min(0, shift), max(width, shift + size[0])
    canvas_size = (right - left, max(hem + 1, hem + size[1]))
    pieces = []
    for source, fill in ((bottom.image, WHITE), (bottom.cut_out, 0), (bottom.mask, 0)):
        picture = Image.fromarray(source).crop(piece_box).resize(size, Image.Resampling.BILINEAR)
        canvas = Image.new(picture.mode, canvas_size, fill)
        canvas.paste(picture, (shift - left, hem))
        pieces.append(canvas)
    image, cut_out, mask = pieces
    # Below its hem, what the upper photo shows is another garment: cut away.
    above = top.cut_out.copy()
    above[int(upper[3]) :] = 0
    alpha = Image.fromarray(above)
    image.paste(Image.fromarray(top.image), (-left, 0), alpha)
    cut_out.paste(255, (-left, 0), alpha)
    mask.paste(Image.fromarray(top.mask), (-left, 0), alpha)
    x0, y0, x1, y1 = lower
    below = (
        x0 * scale + shift - left,
        (y0 - piece_box[1]) * scale + hem,
        x1 * scale + shift - left,
        (y1 - piece_box[1]) * scale + hem,
    )
    places = ((top.places[0][0], _moved(upper, -left)), (bottom.places[0][0], below))
    return Labeled(
        f"{top.name} over {bottom.name}",
        np.asarray(image),
        np.asarray(mask),
        np.asarray(cut_out),
        places,
        frozenset({3, 4}),
        top.kinds,
        item=top.item,
    )


def _moved(box: Box, right: float) -> Box:
    return (box[0] + right, box[1], box[2] + right, box[3])


def _span(mask: NDArray[np.uint8], row: int) -> tuple[int, int] | None:
    """Where the longest run of garment in a row begins and ends."""
    if not 0 <= row < len(mask):
        return None
    line = np.concatenate([[0], (mask[row] > 127).astype(np.int8), [0]])
    turns = np.flatnonzero(np.diff(line)).reshape(-1, 2)
    if not len(turns):
        return None
    begin, end = turns[np.argmax(turns[:, 1] - turns[:, 0])]
    return (int(begin), int(end)) if end - begin > 8 else None

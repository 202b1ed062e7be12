"""Frames: boxes go where the pixels go, turned and mirrored."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from training.garment.frame import Frame, frame_around

BOX = (40, 60, 100, 180)


def _picture() -> Image.Image:
    picture = Image.new("RGB", (200, 260), (20, 20, 20))
    picture.paste((255, 0, 255), BOX)
    return picture


def _colored(taken: Image.Image) -> tuple[float, ...]:
    """The box around what has the rectangle's color."""
    rows, columns = np.nonzero(np.asarray(taken)[..., 0] > 137)
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("degrees", [0, 12, -25])
@pytest.mark.parametrize("step", [0.7, 1.0, 1.9])
def test_a_box_is_where_its_color_is(flip: bool, degrees: float, step: float) -> None:
    size = (round(220 / step), round(280 / step))
    frame = frame_around((90, 130), size, step, math.radians(degrees), flip)
    taken = frame.take(_picture(), 0)
    assert taken.size == size
    box = frame.box((40.0, 60.0, 100.0, 180.0))
    assert np.abs(np.array(box) - _colored(taken)).max() <= 1.5


def test_a_mirrored_frame_shows_the_picture_mirrored() -> None:
    picture = _picture()
    frame = frame_around((100, 130), (200, 260), 1.0, 0.0, True)
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert np.array_equal(np.asarray(frame.take(picture, 0)), np.asarray(mirrored))
    assert frame.box((40.0, 60.0, 100.0, 180.0)) == (100.0, 60.0, 160.0, 180.0)


def test_beyond_the_picture_there_is_the_filling() -> None:
    frame = Frame((50, 50), (180.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    taken = np.asarray(frame.take(_picture(), (1, 2, 3)))
    assert (taken[:, 21:] == (1, 2, 3)).all() and (taken[:, :20] == 20).all()

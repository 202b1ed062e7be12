"""Composites: the same pixels everywhere, a garment where its box says, and its light changed."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from lens.evaluation.composites import (
    HEIGHT,
    WIDTH,
    Composite,
    compose,
    cut_out,
    cut_to,
    generator,
)
from tests.lens.evaluation.drawn import background, shop_photo

CONSTRAINTS = Path(__file__).parents[3] / "constraints.txt"
PIXELS = "1447858f7b582533ee5a2990103c27571222fe40ac41ca5118192516df6a0345"  # of four, by SHA-256


def _composite(name: str = "img/a/01_2_side.jpg") -> Composite:
    return compose(cut_out(shop_photo()), background(), generator(name))


def test_with_the_pinned_pillow_the_pixels_are_these() -> None:
    pinned = re.search(r"^pillow==(\S+)", CONSTRAINTS.read_text(), re.MULTILINE)
    if pinned is None or pinned[1] != PIL.__version__:
        pytest.skip(f"Pillow {PIL.__version__} is not the pinned one")
    drawn = b"".join(_composite(f"img/{number}.jpg").image.tobytes() for number in range(4))
    assert hashlib.sha256(drawn).hexdigest() == PIXELS


def test_a_name_has_one_composite_and_another_name_another() -> None:
    assert _composite().jpeg() == _composite().jpeg()
    assert _composite().image.tobytes() != _composite("img/b/01_2_side.jpg").image.tobytes()


@pytest.mark.parametrize("number", range(8))
def test_the_garment_is_where_its_box_says(number: int) -> None:
    scene = Image.new("RGB", (300, 300), (0, 255, 0))
    composite = compose(cut_out(shop_photo("#c02020")), scene, generator(str(number)))
    pixels = np.asarray(composite.image).astype(int)
    reddish = pixels[..., 0] > pixels[..., 1]
    rows, columns = np.flatnonzero(reddish.any(1)), np.flatnonzero(reddish.any(0))
    seen = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    said = [side * of for side, of in zip(composite.box, (WIDTH, HEIGHT) * 2, strict=True)]
    assert said == pytest.approx(seen, abs=8)


def test_the_garment_is_within_the_frame_and_of_the_size_of_one() -> None:
    for number in range(12):
        left, top, right, bottom = _composite(str(number)).box
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        assert 0.5 < max(right - left, bottom - top) < 0.95


def test_the_background_shows_around_the_garment_and_not_through_its_print() -> None:
    scene = Image.new("RGB", (300, 300), (0, 255, 0))
    composite = compose(cut_out(shop_photo()), scene, generator("a"))
    left, top, right, bottom = composite.box
    middle = composite.image.getpixel(
        (round((left + right) / 2 * WIDTH), round((top + bottom) / 2 * HEIGHT))
    )
    assert isinstance(middle, tuple)
    assert max(middle) - min(middle) < 60  # white, in another light
    corner = composite.image.getpixel((0, 0))
    assert corner == (0, 255, 0)


def test_light_differs_from_composite_to_composite() -> None:
    brightness = [np.asarray(_composite(str(n)).image).mean() for n in range(12)]
    assert np.std(brightness) > 3


def test_of_a_photo_without_a_backdrop_all_is_cut_out() -> None:
    cutout = cut_out(Image.new("RGB", (200, 300), (90, 60, 30)))
    assert np.asarray(cutout.mask)[10:-10, 10:-10].min() == 255


def test_a_large_photo_is_cut_out_as_a_small_one_is() -> None:
    large = cut_out(shop_photo(size=(1290, 1600)))
    small = cut_out(shop_photo(size=(413, 512)))
    assert large.image.size == small.image.size
    difference = np.asarray(large.mask).astype(int) - np.asarray(small.mask)
    assert np.abs(difference).mean() < 4


def test_a_photo_is_cut_to_its_box_without_loss() -> None:
    photo = background(3)
    cut = Image.open(BytesIO(cut_to(photo, (0.25, 0.5, 0.75, 1.0))))
    assert cut.tobytes() == photo.crop((50, 100, 150, 200)).tobytes()
    assert Image.open(BytesIO(cut_to(photo, (0.5, 0.5, 0.5, 0.5)))).size == (1, 1)

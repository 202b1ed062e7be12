"""Copies: a photo made smaller or compressed again is told from others by its look."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from lens.photos.copies import difference, is_copy, look_of
from lens.photos.decoding import decode, thumbnail
from lens.settings import Limits
from tests.support.region_model import UPPER, scene


def saved(image: Image.Image, share: float, quality: int) -> Image.Image:
    """What another program makes of a photo."""
    size = (round(image.width * share), round(image.height * share))
    out = BytesIO()
    image.resize(size).save(out, "JPEG", quality=quality)
    return decode(out.getvalue(), Limits())


def levels(one: Image.Image, other: Image.Image) -> float:
    """Of a photo and the thumbnail of another, as a search compares them."""
    return difference(look_of(one), look_of(decode(thumbnail(other), Limits())))


def test_a_copy_differs_by_little_and_another_photo_by_much() -> None:
    photo = scene(1, {0: UPPER}).resize((640, 640))
    assert is_copy(levels(saved(photo, 0.7, 80), photo))
    recolored = scene(1, {0: "#2030c0"}).resize((640, 640))
    assert not is_copy(levels(saved(photo, 0.7, 80), recolored))
    mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert not is_copy(levels(mirrored, photo))


def test_a_small_part_that_differs_is_enough() -> None:
    photo = Image.new("RGB", (320, 320), "white")
    stain = photo.copy()
    stain.paste("#808080", (0, 0, 40, 40))
    assert not is_copy(levels(stain, photo))


@pytest.mark.parametrize(
    ("size", "same"), [((200, 300), True), ((201, 300), True), ((240, 300), False)]
)
def test_photos_of_another_shape_are_no_copies(size: tuple[int, int], same: bool) -> None:
    found = levels(Image.new("RGB", size, "gray"), Image.new("RGB", (400, 600), "gray"))
    assert is_copy(found) is same
    assert math.isinf(found) is not same


def test_copies_of_real_photos_are_told_from_other_photos(storefront: Path) -> None:
    """Of 60 photos, taken all over a shop: each one's copy is nearer to it than to all others, and
    hardly any other is taken for it."""
    photos = sorted(storefront.rglob("*.jpg"))[::19]
    images = [decode(path.read_bytes(), Limits()) for path in photos]
    looks = [look_of(decode(thumbnail(image), Limits())) for image in images]
    others = 0
    for number, image in enumerate(images):
        copy = look_of(saved(image, 0.8, 80))
        found = [difference(copy, look) for look in looks]
        assert is_copy(found[number])
        others += sum(is_copy(each) for each in found) - 1
    assert len(photos) >= 60
    assert others <= 2

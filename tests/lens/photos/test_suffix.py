"""The suffix that a photo's bytes stand for."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from lens.photos.catalog import MEDIA_TYPES, is_photo, media_type
from lens.photos.suffix import suffix_of


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("AVIF", ".avif"), ("HEIF", ".heic")],
)
def test_a_photo_of_each_accepted_kind_has_one(kind: str, suffix: str) -> None:
    if kind == "HEIF":
        import pi_heif

        assert pi_heif  # it reads; a file begins like this
        data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    else:
        out = BytesIO()
        Image.new("RGB", (16, 16)).save(out, kind)
        data = out.getvalue()
    assert suffix_of(data) == suffix
    assert suffix in MEDIA_TYPES


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<html>", b"RIFF\0\0\0\0WAVE", b"%PDF-1.7"])
def test_anything_else_has_none(data: bytes) -> None:
    assert suffix_of(data) is None


@pytest.mark.parametrize("name", ["a.jfif", "a.JPE", "canon/IMG_1.HIF", "a.jpg", "a.avif"])
def test_every_suffix_that_cameras_and_browsers_write_is_a_photo_s(name: str) -> None:
    assert is_photo(name)
    assert media_type(name).startswith("image/")

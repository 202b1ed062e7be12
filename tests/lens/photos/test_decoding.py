"""Photos: every encoder's output becomes upright RGB, limits hold, thumbnails are small.

Covers: decoding, opening.
"""

from __future__ import annotations

import errno
import hashlib
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from lens.errors import BrokenImageError, NotAnImageError, PhotoTooLargeError, TooManyPixelsError
from lens.photos.decoding import THUMBNAIL_SIDE, decode, photo_id, thumbnail, upright_size
from lens.settings import Limits
from tests.support.photos import encode, picture, png_file

LIMITS = Limits()
ORIENTATION = ExifTags.Base.Orientation


def pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    image = decode(data, LIMITS)
    assert image.mode == "RGB"
    return np.asarray(image).astype(np.int16)


def quarters() -> Image.Image:
    """Four colors, so that every turn and flip shows."""
    image = Image.new("RGB", (64, 48))
    for i, color in enumerate(("red", "lime", "blue", "white")):
        image.paste(color, (i % 2 * 32, i // 2 * 24, i % 2 * 32 + 32, i // 2 * 24 + 24))
    return image


def test_a_photo_id_is_half_of_the_sha256_of_its_bytes() -> None:
    assert photo_id(b"abc") == hashlib.sha256(b"abc").digest()[:16].hex()


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 3),
        ("JPEG", {"quality": 95, "progressive": True}, 3),
        ("WEBP", {"quality": 100}, 3),
        ("AVIF", {"quality": 100}, 3),
    ],
)
def test_every_accepted_type_gives_its_pixels(
    kind: str, options: dict[str, object], tolerance: int
) -> None:
    image = quarters()
    difference = np.abs(pixels(encode(image, kind, **options)) - np.asarray(image, np.int16))
    assert difference.mean() <= tolerance


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(kind: str, orientation: int) -> None:
    upright = quarters()
    inverse = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    held = upright if inverse is None else upright.transpose(inverse)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    found = pixels(encode(held, kind, exif=exif))
    assert found.shape == (48, 64, 3)
    for y, x in ((5, 5), (5, 59), (43, 5), (43, 59)):
        assert np.abs(found[y, x] - np.asarray(upright)[y, x]).max() < 40


@pytest.mark.parametrize("tags", [b"", b"garbage", b"II*\0\xff\xff\xff\xff"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_photo_with_damaged_exif_is_taken_as_it_is(tags: bytes) -> None:
    assert pixels(encode(quarters(), "JPEG", exif=b"Exif\0\0" + tags)).shape == (48, 64, 3)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert pixels(encode(quarters(), "JPEG", exif=exif)).shape == (48, 64, 3)


def test_transparency_is_shown_over_white() -> None:
    image = Image.new("RGBA", (3, 1))
    image.putdata([(200, 0, 0, 0), (200, 0, 0, 128), (200, 0, 0, 255)])
    expected = [[255, 255, 255], [227, 127, 127], [200, 0, 0]]
    assert np.abs(pixels(encode(image, "PNG"))[0] - expected).max() <= 1
    assert np.abs(pixels(encode(image, "WEBP", lossless=True, exact=True))[0] - expected).max() <= 1


def test_gray_with_transparency_is_shown_over_white() -> None:
    image = Image.new("LA", (2, 1))
    image.putdata([(50, 0), (50, 255)])
    assert pixels(encode(image, "PNG"))[0].tolist() == [[255] * 3, [50] * 3]


def test_a_palette_keeps_its_colors_and_its_transparent_entry() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    assert pixels(encode(image, "PNG"))[0].tolist() == [[255, 0, 0], [0, 0, 255]]
    transparent = encode(image, "PNG", transparency=0)
    assert pixels(transparent)[0].tolist() == [[255, 255, 255], [0, 0, 255]]


@pytest.mark.parametrize("mode", ["1", "L"])
def test_gray_becomes_rgb(mode: str) -> None:
    image = Image.new("L", (2, 1))
    image.putdata([0, 255])
    assert pixels(encode(image.convert(mode), "PNG"))[0].tolist() == [[0] * 3, [255] * 3]


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    levels = np.array([[0, 256, 32_768, 65_535]], np.uint16)
    gray = [[0] * 3, [1] * 3, [128] * 3, [255] * 3]
    assert pixels(encode(Image.fromarray(levels), "PNG"))[0].tolist() == gray
    row = b"\0" + b"".join(bytes([level // 256, 0]) * 3 for level in (0, 256, 32_768, 65_535))
    assert pixels(png_file(4, 1, row, depth=16))[0].tolist() == gray


def test_sixteen_bit_gray_with_transparency_is_shown_over_white() -> None:
    color_key = ((b"tRNS", b"\x80\0"),)
    row = b"\0" + b"\x80\0" + b"\x10\0"
    keyed = png_file(2, 1, row, depth=16, color=0, before=color_key)
    assert pixels(keyed)[0, 1].tolist() == [16] * 3
    row = b"\0" + b"\x10\0\0\0" + b"\x10\0\xff\xff"
    assert pixels(png_file(2, 1, row, depth=16, color=4))[0].tolist() == [[255] * 3, [16] * 3]


def test_cmyk_becomes_rgb() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(pixels(encode(image, "JPEG", quality=95)) - [255, 0, 0]).max() < 12


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
def test_an_animation_is_its_first_frame(kind: str) -> None:
    first, second = (Image.new("RGB", (32, 32), color) for color in ("red", "blue"))
    data = encode(first, kind, save_all=True, append_images=[second], duration=100)
    assert np.abs(pixels(data) - [255, 0, 0]).max() < 12


def test_a_phone_s_multi_picture_jpeg_is_its_first_picture() -> None:
    first, second = (Image.new("RGB", (32, 32), color) for color in ("red", "blue"))
    data = encode(first, "MPO", save_all=True, append_images=[second])
    assert np.abs(pixels(data) - [255, 0, 0]).max() < 12


def test_a_large_jpeg_is_decoded_smaller_but_never_below_twice_a_thumbnail() -> None:
    image = picture(2000, 1600)
    found = decode(encode(image, "JPEG", quality=90), LIMITS)
    assert found.size == (1000, 800)
    reference = image.resize(found.size, Image.Resampling.BOX)
    difference = np.asarray(found, np.int16) - np.asarray(reference, np.int16)
    assert np.abs(difference).mean() < 5  # the photo is noise, the worst case


@pytest.mark.parametrize("mode", ["1", "P", "I;16", "LA", "RGBA"])
def test_a_large_png_of_any_kind_is_decoded_smaller(mode: str) -> None:
    image = picture(2000, 1600)
    gray = np.asarray(image.convert("L"), np.uint16) * 256
    held = Image.fromarray(gray) if mode == "I;16" else image.convert(mode)
    assert decode(encode(held, "PNG"), LIMITS).size == (1000, 800)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(40_000, 300), (300, 40_000)])
def test_a_long_strip_is_decoded_smaller_too(kind: str, size: tuple[int, int]) -> None:
    found = decode(encode(Image.new("RGB", size, "teal"), kind), LIMITS)
    assert found.width * found.height <= 8_000_000
    assert (found.width, found.height) == (size[0] // 2, size[1] // 2)
    small = Image.new("RGB", (size[0] // 8, size[1] // 8), "teal")
    assert decode(encode(small, kind), LIMITS).size == small.size


@pytest.mark.parametrize(("orientation", "size"), [(1, (2000, 1600)), (6, (1600, 2000))])
def test_the_upright_size_is_that_before_a_photo_is_decoded_smaller(
    orientation: int, size: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert upright_size(encode(picture(2000, 1600), "JPEG", exif=exif)) == size


def test_limits_are_the_last_value_accepted() -> None:
    data = encode(picture(20, 10), "PNG")
    assert decode(data, Limits(len(data), 200)).size == (20, 10)
    with pytest.raises(PhotoTooLargeError):
        decode(data, Limits(len(data) - 1, 200))
    with pytest.raises(TooManyPixelsError):
        decode(data, Limits(len(data), 199))


def test_a_webp_that_declares_a_huge_canvas_is_refused_by_its_pixels() -> None:
    frames = [quarters(), quarters().transpose(Image.Transpose.ROTATE_180)]
    data = bytearray(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    assert data[12:16] == b"VP8X"
    data[24:30] = (15_999).to_bytes(3, "little") * 2
    with pytest.raises(TooManyPixelsError):
        decode(bytes(data), LIMITS)


@pytest.mark.parametrize("data", [b"", b"x", b"RIFF\0\0\0\0WAVE"])
def test_other_bytes_are_not_an_image(data: bytes) -> None:
    with pytest.raises(NotAnImageError):
        decode(data, LIMITS)


def test_a_checksum_that_fails_is_damage() -> None:
    data = bytearray(encode(picture(), "PNG"))
    data[-20] ^= 1
    with pytest.raises(BrokenImageError):
        decode(bytes(data), LIMITS)


@pytest.mark.parametrize("method", ["open", "Image.load"])
def test_that_this_machine_has_no_more_files_is_no_damage_of_a_photo(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def failed(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    data = encode(picture(), "PNG")
    monkeypatch.setattr(f"PIL.Image.{method}", failed)
    if method != "open":
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", failed)
    with pytest.raises(OSError, match="Too many open files"):
        decode(data, LIMITS)


def test_metadata_does_not_travel_into_thumbnails() -> None:
    data = encode(picture(), "JPEG", comment=b"taken at home", dpi=(300, 300))
    image = decode(data, LIMITS)
    assert image.info == {}
    assert b"taken at home" not in thumbnail(image)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1000, 500), (384, 192)),
        ((500, 1000), (192, 384)),
        ((10, 20), (10, 20)),
        ((1, 4000), (1, 384)),
    ],
)
def test_a_thumbnail_fits_its_side_keeps_the_shape_and_never_grows(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    image = picture(*size)
    small = Image.open(BytesIO(thumbnail(image)))
    assert (small.format, small.size) == ("JPEG", expected)
    assert max(expected) <= THUMBNAIL_SIDE
    assert image.size == size

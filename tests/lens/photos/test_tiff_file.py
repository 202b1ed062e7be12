"""TIFF files: those that people have look as they are meant, the others are refused with a reason;
none becomes another picture in silence."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from lens.errors import BrokenImageError, PhotoError, TooManyPixelsError, UnsupportedImageError
from lens.photos.decoding import decode, upright_size
from lens.settings import Limits
from tests.support.color_profiles import DISPLAY_P3, from_srgb, matrix_profile
from tests.support.odd_photos import patches
from tests.support.photos import encode
from tests.support.tiff_files import Page, tiff_file

HERE = Limits(apart=False)
RGB = bytes([200, 40, 30, 20, 60, 220])  # a red and a blue pixel
TWO = [[200, 40, 30], [20, 60, 220]]
LZW = {"compression": "tiff_lzw"}


def pixels(data: bytes) -> NDArray[np.int16]:
    image = decode(data, HERE)
    assert image.mode == "RGB"
    return np.asarray(image).astype(np.int16)


def alike(data: bytes, image: Image.Image, within: float = 0.0) -> bool:
    difference = np.abs(pixels(data) - np.asarray(image.convert("RGB"), np.int16))
    return float(difference.mean()) <= within


@pytest.mark.parametrize(
    ("compression", "within"),
    [
        ("raw", 0),
        ("tiff_lzw", 0),
        ("tiff_adobe_deflate", 0),
        ("tiff_deflate", 0),
        ("packbits", 0),
        ("lzma", 0),
        ("zstd", 0),
        ("jpeg", 4),
    ],
)
def test_every_usual_compression_is_read(compression: str, within: float) -> None:
    assert alike(encode(patches(), "TIFF", compression=compression), patches(), within)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_a_fax_is_read(compression: str) -> None:
    image = patches().convert("1")
    assert alike(encode(image, "TIFF", compression=compression), image)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK"])
@pytest.mark.parametrize("options", [{}, LZW])
def test_every_usual_kind_of_pixels_is_read(mode: str, options: dict[str, Any]) -> None:
    image = patches()
    image.putalpha(255)
    held = image.convert(mode)
    assert alike(encode(held, "TIFF", **options), held.convert("RGB"))


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_both_byte_orders_and_bigtiff_are_read(order: str, big: bool) -> None:
    assert pixels(tiff_file(Page(2, 1, RGB), order=order, big=big))[0].tolist() == TWO
    assert pixels(encode(patches(), "TIFF", big_tiff=True)).shape == (256, 192, 3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_are_scaled_not_clipped(order: str) -> None:
    levels = (0, 256, 32_768, 65_535)
    gray = Page(4, 1, struct.pack(f"{order}4H", *levels), (16,), 1)
    assert pixels(tiff_file(gray, order=order))[0, :, 0].tolist() == [0, 1, 128, 255]
    each = struct.pack(f"{order}12H", *(level for level in levels for _ in range(3)))
    color = tiff_file(Page(4, 1, each, (16,) * 3), order=order)
    assert pixels(color)[0, :, 2].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("bits", [8, 16])
def test_channels_that_lie_in_planes_of_their_own_are_read(bits: int) -> None:
    """Pillow's own decoder takes the 16 bits of such a file for 8."""
    zeros = bytes(bits // 8 - 1)
    levels = (200, 20), (40, 60), (30, 220)
    planes = [b"".join(zeros + bytes([level]) for level in plane) for plane in levels]
    size = len(planes[0])
    tags = {284: (2,), 273: (8, 8 + size, 8 + 2 * size), 279: (size,) * 3}
    assert (
        pixels(tiff_file(Page(2, 1, b"".join(planes), (bits,) * 3, tags=tags)))[0].tolist() == TWO
    )


@pytest.mark.parametrize("colors", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_gray_is_read_whichever_end_is_white(colors: int, bits: int) -> None:
    """A black and a white pixel, as numbers."""
    low, high = 0, 2**bits - 1
    row = (low << bits | high) << (16 - 2 * bits) if bits < 8 else high
    found = pixels(tiff_file(Page(2, 1, row.to_bytes(2, "big"), (bits,), colors)))
    assert found[0, :, 0].tolist() == ([0, 255] if colors else [255, 0])


def test_tiles_are_read() -> None:
    tile = np.zeros((16, 16, 3), np.uint8)
    tile[:, :8], tile[:, 8:] = TWO
    tags: dict[int, tuple[int, ...]] = {322: (16,), 323: (16,), 324: (8,), 325: (768,)}
    found = pixels(tiff_file(Page(12, 9, tile.tobytes(), tags=tags)))
    assert found.shape == (9, 12, 3)
    assert found[8, 0].tolist() == TWO[0] and found[8, 11].tolist() == TWO[1]


def test_ink_is_not_inverted() -> None:
    image = Image.new("CMYK", (4, 4), (0, 255, 255, 0))
    assert np.abs(pixels(encode(image, "TIFF")) - [255, 0, 0]).max() < 12


def test_television_s_colors_are_read_in_full_and_at_half_resolution() -> None:
    y, blue, red = 100, 90, 200
    expected = np.asarray(Image.new("YCbCr", (1, 1), (y, blue, red)).convert("RGB"), np.int16)[0, 0]
    full = Page(2, 2, bytes([y, blue, red] * 4), colors=6, tags={530: (1, 1)})
    half = Page(2, 2, bytes([y, y, y, y, blue, red]), colors=6, tags={530: (2, 2)})
    for page in (full, half):
        assert np.abs(pixels(tiff_file(page))[0, 0] - expected).max() <= 2


def test_lab_is_read() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    held = ImageCms.profileToProfile(patches(), srgb, lab, outputMode="LAB")
    assert held is not None
    assert alike(encode(held, "TIFF"), patches(), 2)


@pytest.mark.parametrize(("kind", "expected"), [(2, [255, 127, 127]), (1, [255, 127, 127])])
def test_transparency_is_shown_over_white(kind: int, expected: list[int]) -> None:
    """Of half a pixel of red: as it is, and with its colors already halved."""
    row = bytes([255, 0, 0, 128]) if kind == 2 else bytes([128, 0, 0, 128])
    page = Page(1, 1, row, (8,) * 4, tags={338: (kind,)})
    assert np.abs(pixels(tiff_file(page))[0, 0] - expected).max() <= 1


def test_a_channel_that_is_no_transparency_is_left_out() -> None:
    page = Page(1, 1, bytes([200, 40, 30, 0]), (8,) * 4, tags={338: (0,)})
    assert pixels(tiff_file(page))[0, 0].tolist() == TWO[0]


@pytest.mark.parametrize("options", [{}, LZW, {"compression": "jpeg", "quality": 95}])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_once(orientation: int, options: dict[str, Any]) -> None:
    turn = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}.get(orientation)
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 7: 6}
    if orientation in turns:
        turn = Image.Transpose(turns[orientation])
    held = patches() if turn is None else patches().transpose(turn)
    data = encode(held, "TIFF", tiffinfo={ExifTags.Base.Orientation: orientation}, **options)
    assert upright_size(data) == patches().size
    assert alike(data, patches(), 8 if "quality" in options else 0)


def test_of_several_pages_the_first_is_the_photo() -> None:
    other = Image.new("RGB", (50, 70), (9, 9, 9))
    data = encode(patches(), "TIFF", save_all=True, append_images=[other])
    assert alike(data, patches())


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("tags", [{254: (1,)}, {254: (4,)}, {254: (5,)}, {255: (2,)}])
def test_a_small_copy_or_a_mask_before_the_photo_is_not_the_photo(
    tags: dict[int, tuple[int, ...]], big: bool
) -> None:
    copy = Page(1, 1, bytes([9, 9, 9, 0]), tags=tags)
    assert pixels(tiff_file(copy, Page(2, 1, RGB), big=big))[0].tolist() == TWO


CANON = b"II*\0\x10\0\0\0CR\2\0" + bytes(40)
FLOAT = encode(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF")
WHOLE = encode(Image.fromarray(np.full((4, 4), 70_000, np.int32)), "TIFF")


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("a camera's raw file", CANON),
        ("a camera's raw file", tiff_file(Page(2, 1, RGB, tags={50706: (1,)}))),
        ("a camera's raw file", tiff_file(Page(2, 1, bytes(4), (16,), 32803))),
        ("small copies alone", tiff_file(Page(2, 1, RGB, tags={254: (1,)}))),
        ("with a sign or a fraction", FLOAT),
        ("with a sign or a fraction", WHOLE),
        ("of 12 bits", tiff_file(Page(2, 1, bytes(4), (12,), 1))),
        ("of 16 bits", tiff_file(Page(2, 1, bytes(4), (16,), 0))),
        ("of 32 bits", tiff_file(Page(1, 1, bytes(4), (32,), 1))),
        ("of 5/6/5 bits", tiff_file(Page(1, 1, bytes(4), (5, 6, 5)))),
        ("of colors \\(34999\\)", tiff_file(Page(2, 1, RGB, colors=34999))),
        ("in ICCLab", tiff_file(Page(2, 1, RGB, colors=9))),
        ("other inks", tiff_file(Page(1, 1, bytes(4), (8,) * 4, 5, {332: (2,)}))),
        ("compressed in a way \\(6\\)", tiff_file(Page(2, 1, RGB, tags={259: (6,)}))),
        ("compressed in a way \\(34712\\)", tiff_file(Page(2, 1, RGB, tags={259: (34712,)}))),
        (
            "too small numbers",
            tiff_file(Page(2, 1, b"\0\1", (8,), 3, {320: tuple(range(256)) * 3})),
        ),
        ("compressed in a way \\(50001\\)", tiff_file(Page(2, 1, RGB, tags={259: (50001,)}))),
        ("big-endian", tiff_file(Page(2, 1, RGB), order=">", big=True)),
        ("of a kind that is not known", tiff_file(Page(1, 1, bytes(7), (8,) * 7))),
    ],
)
def test_what_would_be_another_picture_is_refused_with_the_reason(reason: str, data: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match=reason) as caught:
        decode(data, HERE)
    assert str(caught.value).endswith("export it as a JPEG")


def test_the_pixel_limit_holds_before_anything_is_decoded() -> None:
    with pytest.raises(TooManyPixelsError):
        decode(tiff_file(Page(30_000, 30_000, b"no pixels")), HERE)


def test_a_tile_of_gigabytes_is_refused_whatever_the_photo_s_size() -> None:
    tags: dict[int, tuple[int, ...]] = {322: (65_536,), 323: (65_536,), 324: (8,), 325: (9,)}
    with pytest.raises(BrokenImageError):
        decode(tiff_file(Page(2, 1, RGB, tags=tags)), HERE)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("options", [{}, LZW])
def test_a_truncated_file_is_refused(share: float, options: dict[str, Any]) -> None:
    data = encode(patches(), "TIFF", **options)
    with pytest.raises(PhotoError):
        decode(data[: max(16, int(len(data) * share))], HERE)


def test_pages_in_a_ring_end() -> None:
    page = Page(2, 1, RGB, tags={254: (1,)})
    data = bytearray(tiff_file(page))
    data[-4:] = data[4:8]
    with pytest.raises(UnsupportedImageError, match="small copies"):
        decode(bytes(data), HERE)


def test_its_profile_counts() -> None:
    held = from_srgb(patches(), DISPLAY_P3)
    data = encode(held, "TIFF", icc_profile=matrix_profile(DISPLAY_P3))
    assert alike(data, patches(), 3)  # as a PNG of it
    assert not alike(encode(held, "TIFF"), patches(), 6)


def test_pillow_writes_what_these_tests_are_about() -> None:
    assert Image.open(BytesIO(FLOAT)).mode == "F"

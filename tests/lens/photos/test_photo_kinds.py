"""Photos of every kind that people have: each looks as its plain JPEG twin does, and would not if
its kind were handled carelessly; the default model embeds both alike."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageChops, ImageCms

from lens.default_model.shipped import write_shipped
from lens.errors import BrokenImageError
from lens.models.embedder import Embedder, load_embedder
from lens.models.manifest import Preprocessing
from lens.models.preprocessing import to_pixels
from lens.photos.decoding import decode
from lens.settings import Limits
from lens.storage import FileStorage
from tests.support.color_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    for_print,
    from_srgb,
    gray_profile,
    matrix_profile,
    print_profile,
)
from tests.support.photos import encode, png_file
from tests.support.shipped_figures import TWINS_SIMILARITY

PHOTOS = Path(__file__).parent / "files"
GARMENT = Image.open(PHOTOS / "garment.jpg").convert("RGB")
MASK = Image.open(PHOTOS / "mask.png").convert("L")
GRAY = GARMENT.convert("L")
ON_WHITE = Image.composite(GARMENT, Image.new("RGB", GARMENT.size, "white"), MASK)
TURNED = GARMENT.transpose(Image.Transpose.ROTATE_180)
CUT_OUT = GARMENT.copy()
CUT_OUT.putalpha(MASK)
SQUARE = Preprocessing(size=64, mean=(0, 0, 0), std=(1, 1, 1))
# Gray levels: those of another compression or color engine are 1.7 at most, the least of what is
# handled carelessly 2.7.
ALIKE = 2.0


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    artifacts = FileStorage(tmp_path_factory.mktemp("artifacts"))
    return load_embedder(artifacts, write_shipped(artifacts).model_id)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two photos, in gray levels, on a square of 64 pixels a side."""
    levels = [to_pixels(each, SQUARE) for each in (one, other)]
    return float(np.abs(levels[0] - levels[1]).mean())


def opened(data: bytes) -> Image.Image:
    return decode(data, Limits())


def jpeg(image: Image.Image, **options: Any) -> bytes:
    return encode(image, "JPEG", quality=90, **options)


def heic(name: str) -> bytes:
    return (PHOTOS / f"{name}.heic").read_bytes()


def png_16(image: Image.Image, color: int) -> bytes:
    """A PNG of 16 bits a channel; the low bytes are noise, as cameras have it."""
    levels = np.asarray(image).reshape(image.height, -1)
    noise = np.random.default_rng(0).integers(0, 256, levels.shape, np.uint8)
    pairs = np.stack([levels, noise], -1).reshape(image.height, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in pairs)
    return png_file(image.width, image.height, rows, depth=16, color=color)


def animated(kind: str, **options: Any) -> bytes:
    return encode(GARMENT, kind, save_all=True, append_images=[TURNED], duration=90, **options)


def palette() -> bytes:
    """256 colors, one of them see-through."""
    image = GARMENT.quantize(255)
    image.putpalette([*(image.getpalette() or []), 0, 0, 0])  # without it, 255 would be none
    image.paste(255, mask=MASK.point(lambda level: 255 - level))
    return encode(image, "PNG", transparency=255)


def not_inverted(data: bytes) -> bytes:
    """A CMYK JPEG without Adobe's marker, so ink is counted as it is."""
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def mif1(data: bytes) -> bytes:
    """The same file, led by the brand that HEIC and AVIF share."""
    return data[:8] + b"mif1" + data[12:]


def with_profile(
    image: Image.Image, profile: bytes, kind: str = "JPEG", quality: int = 90
) -> bytes:
    return encode(image, kind, quality=quality, icc_profile=profile)


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turned(kind: str, orientation: int) -> bytes:
    """A photo that only its metadata turns upright, in the way of a phone of that kind."""
    if kind == "HEIC":
        return heic(f"orientation-{orientation}")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    undo = {6: TURNS[8], 8: TURNS[6]}.get(orientation, TURNS.get(orientation))
    held = GARMENT if undo is None else GARMENT.transpose(undo)
    return encode(held, kind, quality=90, exif=exif)


# Name: the photo, and its plain twin.
KINDS: dict[str, tuple[Callable[[], bytes], Image.Image]] = {
    "JPEG": (lambda: jpeg(GARMENT), GARMENT),
    "progressive JPEG": (
        lambda: jpeg(GARMENT, progressive=True),
        GARMENT,
    ),
    "multi-picture JPEG": (lambda: animated("MPO", quality=90), GARMENT),
    "PNG": (lambda: encode(GARMENT, "PNG"), GARMENT),
    "WebP": (lambda: encode(GARMENT, "WEBP", quality=90), GARMENT),
    "lossless WebP": (lambda: encode(GARMENT, "WEBP", lossless=True), GARMENT),
    "AVIF": (lambda: encode(GARMENT, "AVIF", quality=90), GARMENT),
    "AVIF named mif1": (lambda: mif1(encode(GARMENT, "AVIF", quality=90)), GARMENT),
    "HEIC": (lambda: heic("plain"), GARMENT),
    "HEIC named mif1": (lambda: mif1(heic("plain")), GARMENT),
    "HEIC of 10 bits": (lambda: heic("ten-bits"), GARMENT),
    "HEIC of two pictures": (lambda: heic("two-pictures"), GARMENT),
    "CMYK, Adobe's": (lambda: jpeg(GARMENT.convert("CMYK")), GARMENT),
    "CMYK with a profile": (
        lambda: with_profile(for_print(GARMENT), print_profile()),
        GARMENT,
    ),
    "gray JPEG": (lambda: jpeg(GRAY), GRAY),
    "gray HEIC": (lambda: heic("gray"), GRAY),
    "gray with a profile": (
        lambda: with_profile(
            GRAY.point(lambda level: 255 * (level / 255) ** (2.2 / 1.2)), gray_profile(1.2)
        ),
        GRAY,
    ),
    "palette": (palette, ON_WHITE),
    "RGBA PNG": (lambda: encode(CUT_OUT, "PNG"), ON_WHITE),
    "RGBA WebP": (lambda: encode(CUT_OUT, "WEBP", quality=90), ON_WHITE),
    "RGBA AVIF": (lambda: encode(CUT_OUT, "AVIF", quality=90), ON_WHITE),
    "RGBA HEIC": (lambda: heic("alpha"), ON_WHITE),
    "LA PNG": (lambda: encode(CUT_OUT.convert("LA"), "PNG"), ON_WHITE.convert("L")),
    "16-bit RGB PNG": (lambda: png_16(GARMENT, 2), GARMENT),
    "16-bit gray PNG": (lambda: png_16(GRAY, 0), GRAY),
    "animated PNG": (lambda: animated("PNG"), GARMENT),
    "animated WebP": (lambda: animated("WEBP", quality=90), GARMENT),
    "animated AVIF": (lambda: animated("AVIF", quality=90), GARMENT),
    "Display P3 JPEG": (
        lambda: with_profile(from_srgb(GARMENT, DISPLAY_P3), matrix_profile(DISPLAY_P3)),
        GARMENT,
    ),
    "Display P3 HEIC": (lambda: heic("display-p3"), GARMENT),
    "Adobe RGB PNG": (
        lambda: with_profile(from_srgb(GARMENT, ADOBE_RGB), matrix_profile(ADOBE_RGB), "PNG"),
        GARMENT,
    ),
    "sRGB with its profile": (lambda: with_profile(GARMENT, matrix_profile(SRGB)), GARMENT),
    "a broken profile": (lambda: with_profile(GARMENT, bytes(500)), GARMENT),
    "a profile of other channels": (lambda: with_profile(GARMENT, print_profile()), GARMENT),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_looks_as_its_plain_twin(kind: str) -> None:
    photo, twin = KINDS[kind]
    assert difference(opened(photo()), opened(jpeg(twin.convert("RGB")))) < ALIKE


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_model_embeds_a_photo_as_its_plain_twin(kind: str, embedder: Embedder) -> None:
    photo, twin = KINDS[kind]
    one, other = (embedder.embed(opened(each)) for each in (photo(), jpeg(twin.convert("RGB"))))
    assert one @ other >= TWINS_SIMILARITY


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_has_the_size_of_its_twin(kind: str) -> None:
    assert opened(KINDS[kind][0]()).size == GARMENT.size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIC"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_looks_as_its_upright_twin(kind: str, orientation: int) -> None:
    """HEIC and AVIF say the turn in their container, and HEIC's EXIF once more: it is one turn."""
    photo = opened(turned(kind, orientation))
    upright = opened(jpeg(GARMENT.resize(photo.size)))
    assert difference(photo, upright) < ALIKE
    if orientation != 1:
        twice = photo.transpose(TURNS[orientation])
        assert difference(twice, upright) > 5 * ALIKE


def ignored(data: bytes) -> bytes:
    """The same file without its color profile."""
    image = Image.open(BytesIO(data))
    image.info.pop("icc_profile")
    return encode(image, image.format or "", quality=90)


@pytest.mark.parametrize(
    "kind", ["Display P3 JPEG", "Adobe RGB PNG", "CMYK with a profile", "gray with a profile"]
)
def test_without_its_profile_a_photo_would_be_another(kind: str) -> None:
    photo, twin = KINDS[kind]
    found = difference(opened(ignored(photo())), opened(jpeg(twin.convert("RGB"))))
    assert found > 1.25 * ALIKE


def test_transparency_over_black_inverted_ink_and_clipped_levels_would_be_others() -> None:
    plain = opened(jpeg(GARMENT))
    assert difference(CUT_OUT.convert("RGB"), opened(jpeg(ON_WHITE))) > 5 * ALIKE
    assert difference(ImageChops.invert(GARMENT), plain) > 5 * ALIKE
    clipped = Image.new("RGB", GRAY.size, "white")
    assert difference(clipped, opened(jpeg(GRAY))) > 5 * ALIKE
    assert difference(TURNED, plain) > 5 * ALIKE


def test_ink_is_read_with_and_without_adobe_s_inversion() -> None:
    adobe = jpeg(GARMENT.convert("CMYK"))
    plain = not_inverted(jpeg(ImageChops.invert(GARMENT.convert("CMYK"))))
    difference = np.asarray(opened(adobe), np.int16) - np.asarray(opened(plain), np.int16)
    assert np.abs(difference).mean() < 2


def test_a_profile_that_says_srgb_changes_no_pixel() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert opened(with_profile(GARMENT, srgb)).tobytes() == opened(jpeg(GARMENT)).tobytes()


def test_a_profile_of_many_megabytes_is_ignored() -> None:
    profile = matrix_profile(DISPLAY_P3) + bytes(5 * 2**20)
    assert opened(with_profile(GARMENT, profile)).tobytes() == opened(jpeg(GARMENT)).tobytes()


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6, 0.9])
def test_a_truncated_heic_is_damaged(share: float) -> None:
    data = heic("plain")
    with pytest.raises(BrokenImageError):
        opened(data[: max(16, int(len(data) * share))])


def test_a_large_photo_of_any_kind_is_reduced_as_its_jpeg_twin_is() -> None:
    large = GARMENT.resize((1920, 2400))
    twin = opened(jpeg(large))
    for kind in ("PNG", "WEBP"):
        found = opened(encode(large, kind))
        assert found.size == twin.size == (960, 1200)
        assert difference(found, twin) < ALIKE


def scans_file(extra: int) -> bytes:
    """A progressive JPEG that repeats its first scan."""
    data = encode(GARMENT, "JPEG", progressive=True)
    start = data.index(b"\xff\xda")
    end = data.index(b"\xff\xc4", start)
    return data[:end] + data[start:end] * extra + data[end:]


def test_a_jpeg_of_hundreds_of_scans_is_refused() -> None:
    assert opened(scans_file(40)).size == GARMENT.size
    with pytest.raises(BrokenImageError, match="more than 50 scans"):
        opened(scans_file(41))


def test_what_follows_a_jpeg_or_lies_in_its_metadata_is_no_scan() -> None:
    noise = b"\xff\xda" * 300
    assert opened(jpeg(GARMENT, comment=noise) + noise).size == GARMENT.size

"""Photos of every kind that people have: each embeds as its plain JPEG twin does, by the default
model, and would not if its kind were handled carelessly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lens.default_model import write_projection
from lens.embedder import Embedder, load_embedder
from lens.images import Limits, decode
from lens.storage import FileStorage
from tests.color_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    for_print,
    from_srgb,
    gray_profile,
    matrix_profile,
    print_profile,
)
from tests.photos import encode, png_file

PHOTOS = Path(__file__).parent / "photos"
GARMENT = Image.open(PHOTOS / "garment.jpg").convert("RGB")
MASK = Image.open(PHOTOS / "mask.png").convert("L")
GRAY = GARMENT.convert("L")
ON_WHITE = Image.composite(GARMENT, Image.new("RGB", GARMENT.size, "white"), MASK)
TURNED = GARMENT.transpose(Image.Transpose.ROTATE_180)
CUT_OUT = GARMENT.copy()
CUT_OUT.putalpha(MASK)

Embed = Callable[[Image.Image], NDArray[np.float32]]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    artifacts = FileStorage(tmp_path_factory.mktemp("artifacts"))
    return load_embedder(artifacts, write_projection(artifacts).model_id)


def cosine(embedder: Embedder, one: Image.Image, other: Image.Image) -> float:
    return float(embedder.embed(one) @ embedder.embed(other))


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


# Name: the photo, its plain twin, and the least cosine between them.
KINDS: dict[str, tuple[Callable[[], bytes], Image.Image, float]] = {
    "JPEG": (lambda: jpeg(GARMENT), GARMENT, 0.99),
    "progressive JPEG": (
        lambda: jpeg(GARMENT, progressive=True),
        GARMENT,
        0.99,
    ),
    "multi-picture JPEG": (lambda: animated("MPO", quality=90), GARMENT, 0.99),
    "PNG": (lambda: encode(GARMENT, "PNG"), GARMENT, 0.99),
    "WebP": (lambda: encode(GARMENT, "WEBP", quality=90), GARMENT, 0.99),
    "lossless WebP": (lambda: encode(GARMENT, "WEBP", lossless=True), GARMENT, 0.99),
    "AVIF": (lambda: encode(GARMENT, "AVIF", quality=90), GARMENT, 0.99),
    "AVIF named mif1": (lambda: mif1(encode(GARMENT, "AVIF", quality=90)), GARMENT, 0.99),
    "HEIC": (lambda: heic("plain"), GARMENT, 0.99),
    "HEIC named mif1": (lambda: mif1(heic("plain")), GARMENT, 0.99),
    "HEIC of 10 bits": (lambda: heic("ten-bits"), GARMENT, 0.99),
    "HEIC of two pictures": (lambda: heic("two-pictures"), GARMENT, 0.99),
    "CMYK, Adobe's": (lambda: jpeg(GARMENT.convert("CMYK")), GARMENT, 0.99),
    "CMYK with a profile": (
        lambda: with_profile(for_print(GARMENT), print_profile()),
        GARMENT,
        0.975,
    ),
    "gray JPEG": (lambda: jpeg(GRAY), GRAY, 0.99),
    "gray HEIC": (lambda: heic("gray"), GRAY, 0.99),
    "gray with a profile": (
        lambda: with_profile(
            GRAY.point(lambda level: 255 * (level / 255) ** (2.2 / 1.2)), gray_profile(1.2)
        ),
        GRAY,
        0.99,
    ),
    "palette": (palette, ON_WHITE, 0.99),
    "RGBA PNG": (lambda: encode(CUT_OUT, "PNG"), ON_WHITE, 0.99),
    "RGBA WebP": (lambda: encode(CUT_OUT, "WEBP", quality=90), ON_WHITE, 0.99),
    "RGBA AVIF": (lambda: encode(CUT_OUT, "AVIF", quality=90), ON_WHITE, 0.99),
    "RGBA HEIC": (lambda: heic("alpha"), ON_WHITE, 0.99),
    "LA PNG": (lambda: encode(CUT_OUT.convert("LA"), "PNG"), ON_WHITE.convert("L"), 0.99),
    "16-bit RGB PNG": (lambda: png_16(GARMENT, 2), GARMENT, 0.99),
    "16-bit gray PNG": (lambda: png_16(GRAY, 0), GRAY, 0.99),
    "animated PNG": (lambda: animated("PNG"), GARMENT, 0.99),
    "animated WebP": (lambda: animated("WEBP", quality=90), GARMENT, 0.99),
    "animated AVIF": (lambda: animated("AVIF", quality=90), GARMENT, 0.99),
    "Display P3 JPEG": (
        lambda: with_profile(from_srgb(GARMENT, DISPLAY_P3), matrix_profile(DISPLAY_P3)),
        GARMENT,
        0.99,
    ),
    "Display P3 HEIC": (lambda: heic("display-p3"), GARMENT, 0.99),
    "Adobe RGB PNG": (
        lambda: with_profile(from_srgb(GARMENT, ADOBE_RGB), matrix_profile(ADOBE_RGB), "PNG"),
        GARMENT,
        0.99,
    ),
    "sRGB with its profile": (lambda: with_profile(GARMENT, matrix_profile(SRGB)), GARMENT, 0.99),
    "a broken profile": (lambda: with_profile(GARMENT, bytes(500)), GARMENT, 0.99),
    "a profile of other channels": (lambda: with_profile(GARMENT, print_profile()), GARMENT, 0.99),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_embeds_as_its_plain_twin(kind: str, embedder: Embedder) -> None:
    photo, twin, at_least = KINDS[kind]
    found = cosine(embedder, opened(photo()), opened(jpeg(twin.convert("RGB"))))
    print(f"{kind}: {found:.4f}")
    assert found >= at_least


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_has_the_size_of_its_twin(kind: str) -> None:
    assert opened(KINDS[kind][0]()).size == GARMENT.size

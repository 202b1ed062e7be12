"""Colors: a decoded image to RGB in sRGB, by what its file says that its numbers mean."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Protocol

from PIL import Image, ImageChops, ImageCms

from lens.errors import UnsupportedImageError
from lens.photos.code_points import CodePoints
from lens.photos.color_profiles import SRGB, Primaries, profile_of
from lens.photos.tone_mapping import HLG, PQ, ToneMap

# Larger than any print profile in use; more would only fill the memory that keeps transforms.
PROFILE_BYTES = 4 * 2**20
# The color space that a profile speaks of, as Pillow's mode.
_PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_PRIMARIES = {
    1: SRGB,
    2: SRGB,  # not said
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: Primaries((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.314, 0.351)),
    12: Primaries((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: Primaries((0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}
# By transfer; None is sRGB's curve, which browsers take also for television's.
_GAMMAS = {1: None, 2: None, 6: None, 13: None, 14: None, 15: None, 4: 2.2, 5: 2.8, 8: 1.0}


class _Transform(Protocol):
    @property
    def input_mode(self) -> str: ...

    def apply(self, image: Image.Image) -> Image.Image: ...


def in_srgb(image: Image.Image) -> Image.Image:
    """The image as RGB, transparency over white. Its info may have an `icc_profile`, as Pillow
    sets it, or `code_points`.

    Raises UnsupportedImageError for colors that are not known: no guess may turn them into others.
    """
    if image.mode.startswith("I"):
        # Pillow's own conversion of 16-bit gray clips at 255 instead of scaling.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    transform = _transform_of(image)
    if not image.has_transparency_data:
        return _applied(image, transform)
    image = image.convert("RGBA")
    # Unlike Image.alpha_composite, pasting lets other threads run and copies nothing else.
    white = Image.new("RGB", image.size, "white")
    white.paste(image if transform is None else _applied(image, transform), mask=image)
    return white


def _applied(image: Image.Image, transform: _Transform | None) -> Image.Image:
    if transform is None:
        return image.convert("RGB")
    return transform.apply(image.convert(transform.input_mode))


def _transform_of(image: Image.Image) -> _Transform | None:
    mode = "CMYK" if image.mode == "CMYK" else "L" if image.mode in {"1", "L", "LA"} else "RGB"
    profile: bytes | None = image.info.get("icc_profile")
    points: CodePoints | None = image.info.get("code_points")
    if profile is None and points is not None:
        meaning = _meaning(points)
        if isinstance(meaning, ToneMap):
            return meaning
        profile = meaning
    return _transform(profile, mode) if profile else None


@lru_cache(maxsize=8)
def _meaning(points: CodePoints) -> bytes | ToneMap | None:
    """The profile or the tone mapping that leads to sRGB; None where it is sRGB."""
    primaries = _PRIMARIES.get(points.primaries)
    if primaries is None or points.transfer not in {*_GAMMAS, PQ, HLG}:
        raise UnsupportedImageError(
            f"the photo's colors (primaries {points.primaries}, transfer {points.transfer} of "
            "H.273) are not known here; save it in sRGB and send that"
        )
    if points.transfer in (PQ, HLG):
        return ToneMap(points.transfer, primaries)
    gamma = _GAMMAS[points.transfer]
    return None if primaries == SRGB and gamma is None else profile_of(primaries, gamma)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a profile's colors to sRGB; None where it changes nothing, does not fit or is broken.

    A shop's photos and a phone's have few different profiles, and building takes milliseconds.
    """
    if len(profile) > PROFILE_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        source_mode = _PROFILE_MODES.get(source.profile.xcolor_space)
        if source_mode is None or (source_mode != mode and (source_mode, mode) != ("RGB", "L")):
            return None
        transform = ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            source_mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return transform if source_mode == "CMYK" or _changes(transform) else None
    except Exception:  # lcms and its wrapper raise whatever the damage leads to
        return None


def _changes(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether any color moves by more than rounding: many profiles say sRGB in other bytes."""
    levels = range(0, 256, 17)
    probe = Image.new("RGB", (16, 256))
    probe.putdata([(r, g, b) for r in levels for g in levels for b in levels])
    probe = probe.convert(transform.input_mode)
    moved = ImageChops.difference(transform.apply(probe), probe.convert("RGB"))
    return moved.point(lambda levels: max(levels - 2, 0)).getbbox() is not None

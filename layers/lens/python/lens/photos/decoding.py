"""Decoding: which image types are accepted, decoding within limits, a photo's id, thumbnails."""

from __future__ import annotations

import hashlib
import re
from functools import cache, lru_cache
from io import BytesIO

from PIL import ExifTags, Image, ImageChops, ImageCms

from lens.errors import (
    BrokenImageError,
    NotAnImageError,
    PhotoTooLargeError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from lens.settings import Limits

ACCEPTED = "JPEG, PNG, WebP, AVIF or HEIC"
THUMBNAIL_SIDE = 384
# A photo is reduced to 1/2, 1/4 or 1/8 while both sides stay at least this large: twice the
# thumbnail, so it is never seen. JPEGs are decoded at that scale, which saves most of the time.
_DRAFT_SIDE = 2 * THUMBNAIL_SIDE
_REDUCIBLE = {"L", "LA", "RGB", "RGBA", "CMYK"}

# A kilobyte can ask for hundreds of passes over every pixel. Encoders write about ten.
_MOST_SCANS = 50
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
# Larger than any print profile in use; more would only fill the memory that keeps transforms.
_PROFILE_BYTES = 4 * 2**20
# The color space that a profile speaks of, as Pillow's mode.
_PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}

_DAMAGED = "the photo is truncated or damaged; choose another file"
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"%PDF", "PDF"),
)
_READERS = {"JPEG": "JPEG", "PNG": "PNG", "WebP": "WEBP", "AVIF": "AVIF", "HEIC": "HEIF"}
_HEIF_BRANDS = {b"mif1", b"msf1", *(b"he" + rest for rest in (b"ic", b"ix", b"im", b"is"))}
_HEIF_BRANDS |= {b"hev" + rest for rest in (b"c", b"x", b"m", b"s")}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_THEIR_SIDE = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}

# Pillow would warn, then raise, by its own count of pixels; `Limits` decides here.
Image.MAX_IMAGE_PIXELS = None


def photo_id(data: bytes) -> str:
    """A photo's identity: 128 bits of its bytes' SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()[:32]


def decode(data: bytes, limits: Limits) -> Image.Image:
    """Decode a photo to RGB in sRGB, upright, transparency over white, without its metadata; of
    several frames, the first.

    Raises a PhotoError; its pixel count is checked before anything is decoded.
    """
    if not data:
        raise NotAnImageError("the photo is empty (0 bytes); choose another file")
    if len(data) > limits.photo_bytes:
        raise PhotoTooLargeError(
            f"the photo has {len(data) / 1e6:.1f} MB; at most {limits.photo_bytes / 1e6:.1f} MB "
            "are accepted: send a smaller copy"
        )
    image = _open(data)
    pixels = image.width * image.height
    if pixels > limits.photo_pixels:
        raise TooManyPixelsError(
            f"the photo has {pixels / 1e6:.1f} megapixels; at most "
            f"{limits.photo_pixels / 1e6:.1f} are accepted: send a smaller copy"
        )
    try:
        image.draft("RGB", (_DRAFT_SIDE, _DRAFT_SIDE))  # only JPEGs know how
        image.load()
        turn = _turn(image)
        profile = image.info.get("icc_profile")
        rgb = _to_rgb(_reduced(image), profile)
        if turn is not None:
            rgb = rgb.transpose(turn)
    except MemoryError:
        raise
    except Exception as error:
        # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error, ...
        raise BrokenImageError(_DAMAGED) from error
    rgb.info = {}  # or its comments would be written into every thumbnail
    return rgb


def upright_size(data: bytes) -> tuple[int, int]:
    """Width and height of a photo as it is seen, before decoding reduces it. Raises a PhotoError
    when the bytes are no photo."""
    image = _open(data)
    turned = _turn(image) in _ON_THEIR_SIDE
    return (image.height, image.width) if turned else image.size


def thumbnail(image: Image.Image, side: int = THUMBNAIL_SIDE) -> bytes:
    """A JPEG of the image, its long side at most `side` pixels."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = BytesIO()
    small.save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue()


def _open(data: bytes) -> Image.Image:
    kind = _kind(data)
    if kind is None:
        raise NotAnImageError(f"this is not a photo; send a {ACCEPTED} file")
    if kind not in _READERS:
        raise UnsupportedImageError(f"{kind} files are not accepted; send a {ACCEPTED} file")
    if kind == "JPEG" and _scans(data) > _MOST_SCANS:
        raise BrokenImageError(
            f"the photo is a JPEG of more than {_MOST_SCANS} scans; save it again as a plain JPEG"
        )
    if kind == "HEIC":
        _learn_heif()
    try:
        return Image.open(BytesIO(data), formats=(_READERS[kind],))
    except Exception as error:
        raise BrokenImageError(_DAMAGED) from error


@cache
def _learn_heif() -> None:
    """Few photos are HEIC, and its decoder takes 25 ms of CPU, 60 ms of a cold disk and 3 MiB."""
    from pi_heif import register_heif_opener

    # Embedded previews, depth maps and gain maps are never looked at.
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _kind(data: bytes) -> str | None:
    """The type that a file's first bytes promise. Pillow's own guess would let dozens of parsers
    at unknown bytes only to word a refusal."""
    for start, signature, kind in _SIGNATURES:
        if data.startswith(signature, start):
            return kind
    if data.startswith(b"ftyp", 4):
        # AVIF and HEIC both may be led by the brand they share, mif1.
        end = min(int.from_bytes(data[:4], "big"), len(data), 256)
        brands = {data[start : start + 4] for start in range(8, end, 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        return "HEIC" if brands & _HEIF_BRANDS else "video"
    return "SVG" if b"<svg" in data[:1024] else None


def _scans(data: bytes) -> int:
    """An upper bound of a JPEG's scans; the true number where that bound is suspicious."""
    bound = data.count(b"\xff\xda")
    if bound <= _MOST_SCANS:
        return bound
    # Videos and further pictures behind the photo, and its metadata, hold these bytes by chance.
    scans, position = 0, 2
    while (found := _MARKER.search(data, position)) is not None:
        marker, position = found[1][0], found.end()
        if marker == 0xD9:  # the end of the photo
            break
        if marker == 0xDA:
            scans += 1
        if marker != 0x01 and not 0xD0 <= marker <= 0xD8:  # these have no length
            position += int.from_bytes(data[position : position + 2], "big")
    return scans


def _reduced(image: Image.Image) -> Image.Image:
    """The image at the scale that a JPEG of its size is decoded at."""
    room = min(image.size) // _DRAFT_SIDE
    factor = next((factor for factor in (8, 4, 2) if factor <= room), 1)
    return image.reduce(factor) if factor > 1 and image.mode in _REDUCIBLE else image


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What turns the image as its EXIF orientation wants it seen."""
    if image.format == "HEIF":  # turned by its decoder, as the container says; EXIF only repeats it
        return None
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF, which many good photos have; its readers raise anything
        return None


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow's own conversion of 16-bit gray clips at 255 instead of scaling.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "CMYK" and "adobe" not in image.info:
        # Pillow undoes Adobe's inversion also where there is none: in JPEGs without its marker.
        image = ImageChops.invert(image)
    mode = "CMYK" if image.mode == "CMYK" else "L" if image.mode in {"1", "L", "LA"} else "RGB"
    transform = _transform(profile, mode) if profile else None
    if not image.has_transparency_data:
        return _in_srgb(image, transform)
    image = image.convert("RGBA")
    # Unlike Image.alpha_composite, pasting lets other threads run and copies nothing else.
    white = Image.new("RGB", image.size, "white")
    white.paste(image if transform is None else _in_srgb(image, transform), mask=image)
    return white


def _in_srgb(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    if transform is None:
        return image.convert("RGB")
    return transform.apply(image.convert(transform.input_mode))


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a profile's colors to sRGB; None where it changes nothing, does not fit or is broken.

    A shop's photos and a phone's have few different profiles, and building takes milliseconds.
    """
    if len(profile) > _PROFILE_BYTES:
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

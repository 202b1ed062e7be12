"""Photos as bytes: what is accepted, decoding within limits, identity and thumbnails."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image

from lens.errors import (
    BrokenImageError,
    NotAnImageError,
    PhotoTooLargeError,
    TooManyPixelsError,
    UnsupportedImageError,
)

ACCEPTED_FORMATS = ("AVIF", "JPEG", "PNG", "WEBP")
THUMBNAIL_SIDE = 384
# A JPEG is decoded at the smallest of its own scales that is at least this large (both sides):
# twice the thumbnail, so the reduced decoding is never seen.
_DRAFT_SIDE = 2 * THUMBNAIL_SIDE

_ACCEPTED = "JPEG, PNG, WebP or AVIF"
_DAMAGED = "the photo is truncated or damaged; choose another file"
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"%PDF", "PDF"),
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow would warn, then raise, by its own count of pixels; `Limits` decides here.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Limits:
    """The largest photo accepted."""

    photo_bytes: int = 20 * 2**20
    photo_pixels: int = 64_000_000


def photo_id(data: bytes) -> str:
    """A photo's identity: 128 bits of its bytes' SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()[:32]


def decode(data: bytes, limits: Limits) -> Image.Image:
    """Decode a photo to RGB, upright, transparency over white, without its metadata.

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
        rgb = _to_rgb(_upright(image))
    except MemoryError:
        raise
    except Exception as error:
        # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error, ...
        raise BrokenImageError(_DAMAGED) from error
    rgb.info = {}  # or its comments would be written into every thumbnail
    return rgb


def thumbnail(image: Image.Image, side: int = THUMBNAIL_SIDE) -> bytes:
    """A JPEG of the image, its long side at most `side` pixels."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = BytesIO()
    small.save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue()


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=ACCEPTED_FORMATS)
    except Exception as error:
        kind = _kind(data)
        if kind is None:
            raise NotAnImageError(f"this is not a photo; send a {_ACCEPTED} file") from error
        if kind.upper() in ACCEPTED_FORMATS:
            raise BrokenImageError(_DAMAGED) from error
        message = f"{kind} files are not accepted; send a {_ACCEPTED} file"
        raise UnsupportedImageError(message) from error


def _kind(data: bytes) -> str | None:
    """The type that a file's first bytes promise. Pillow's own guess would let dozens of parsers
    at unknown bytes only to word a refusal."""
    for start, signature, kind in _SIGNATURES:
        if data.startswith(signature, start):
            return kind
    return "SVG" if b"<svg" in data[:1024] else None


def _upright(image: Image.Image) -> Image.Image:
    """The image as its EXIF orientation wants it seen."""
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF, which many good photos have; its readers raise anything
        return image
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow's own conversion of 16-bit gray clips at 255 instead of scaling.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        # Unlike Image.alpha_composite, pasting lets other threads run and copies nothing else.
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image)
        return white
    return image.convert("RGB")

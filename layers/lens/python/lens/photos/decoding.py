"""Decoding: which image types are accepted, decoding within limits, a photo's id, thumbnails."""

from __future__ import annotations

import hashlib
from functools import cache, reduce
from io import BytesIO

from PIL import ExifTags, Image, ImageChops, UnidentifiedImageError

from lens.errors import (
    BrokenImageError,
    NotAnImageError,
    PhotoError,
    PhotoTooLargeError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from lens.photos import heif_file, jpeg_file, png_file
from lens.photos.colors import PROFILE_BYTES, in_srgb
from lens.photos.suffix import kind_of
from lens.settings import Limits

ACCEPTED = "JPEG, PNG, WebP, AVIF or HEIC"
THUMBNAIL_SIDE = 384
# A photo is reduced to 1/2, 1/4 or 1/8 while both sides stay at least this large: twice the
# thumbnail, so it is never seen. JPEGs are decoded at that scale, which saves most of the time.
_DRAFT_SIDE = 2 * THUMBNAIL_SIDE
_REDUCIBLE = {"L", "LA", "RGB", "RGBA", "CMYK"}

# A kilobyte can ask for hundreds of passes over every pixel. Encoders write about ten.
_MOST_SCANS = 50

# Which half of a PNG's 16 bits Pillow keeps.
_HIGH_BYTES, _LOW_BYTES = "RGB;16B", "RGB;16L"
_DAMAGED = "the photo is truncated or damaged; choose another file"
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
        image = _loaded(image, data)
        turn = _turn(image)
        rgb = in_srgb(_reduced(image))
        if turn is not None:
            rgb = rgb.transpose(turn)
    except (MemoryError, PhotoError):
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
    """An image that is not decoded yet. Its info has what `in_srgb` and `_turn` go by."""
    kind = kind_of(data)
    if kind is None:
        raise NotAnImageError(f"this is not a photo; send a {ACCEPTED} file")
    if kind not in _OPEN:
        raise UnsupportedImageError(f"{kind} files are not accepted; send a {ACCEPTED} file")
    if kind == "JPEG" and jpeg_file.scans(data, _MOST_SCANS) > _MOST_SCANS:
        raise BrokenImageError(
            f"the photo is a JPEG of more than {_MOST_SCANS} scans; save it again as a plain JPEG"
        )
    try:
        return _OPEN[kind](data)
    except Exception as error:
        raise BrokenImageError(_DAMAGED) from error


def _open_jpeg(data: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=("JPEG",))
    except UnidentifiedImageError:
        return Image.open(BytesIO(jpeg_file.mended(data)), formats=("JPEG",))


def _open_png(data: bytes) -> Image.Image:
    """Its texts, which may unpack to gigabytes, are not even looked at."""
    png = png_file.read_png(data)
    image = Image.open(BytesIO(png.picture), formats=("PNG",))
    points = png.code_points()
    profile = None if points else png.profile(PROFILE_BYTES)
    image.info |= {"exif": png.exif, "icc_profile": profile, "code_points": points}
    if png.key and image.tile[0].args == _HIGH_BYTES:  # Pillow would compare it with these alone
        image.info["key"] = png
    return image


def _open_webp(data: bytes) -> Image.Image:
    size = len(data) - 8
    if int.from_bytes(data[4:8], "little") > size:  # its chunks may be whole all the same
        data = data[:4] + size.to_bytes(4, "little") + data[8:]
    return Image.open(BytesIO(data), formats=("WEBP",))


def _open_avif(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(heif_file.led_by("AVIF", data)), formats=("AVIF",))
    image.info["code_points"] = heif_file.code_points(data)
    return image


def _open_heic(data: bytes) -> Image.Image:
    _learn_heif()
    image = Image.open(BytesIO(heif_file.led_by("HEIC", data)), formats=("HEIF",))
    image.info["code_points"] = heif_file.code_points(data)
    return image


_OPEN = {
    "JPEG": _open_jpeg,
    "PNG": _open_png,
    "WebP": _open_webp,
    "AVIF": _open_avif,
    "HEIC": _open_heic,
}


@cache
def _learn_heif() -> None:
    """Few photos are HEIC, and its decoder takes 25 ms of CPU, 60 ms of a cold disk and 3 MiB."""
    from pi_heif import register_heif_opener

    # Embedded previews, depth maps and gain maps are never looked at.
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _loaded(image: Image.Image, data: bytes) -> Image.Image:
    """The image, decoded; a JPEG that lacks no more than its end too, as browsers show it."""
    image.draft("RGB", (_DRAFT_SIDE, _DRAFT_SIDE))  # only JPEGs know how
    try:
        image.load()
    except OSError:
        if image.format not in ("JPEG", "MPO"):
            raise
        image = Image.open(BytesIO(jpeg_file.mended(data)), formats=("JPEG",))
        image.draft("RGB", (_DRAFT_SIDE, _DRAFT_SIDE))
        image.load()
        if not jpeg_file.is_whole(image):
            raise
    return _keyed(image, image.info["key"]) if "key" in image.info else image


def _keyed(image: Image.Image, png: png_file.Png) -> Image.Image:
    """An image of 16 bits a channel, see-through where it has exactly the key's color."""
    low = Image.open(BytesIO(png.picture), formats=("PNG",))
    low.tile = [tile._replace(args=_LOW_BYTES) for tile in low.tile]
    low.load()
    key = png.key or ()
    bands = [*image.split(), *low.split()]
    wanted = [level >> 8 for level in key] + [level & 0xFF for level in key]
    seen = [
        band.point([0 if each == level else 255 for each in range(256)])
        for band, level in zip(bands, wanted, strict=True)
    ]
    image.info.pop("transparency", None)
    image.putalpha(reduce(ImageChops.lighter, seen))
    return image


def _reduced(image: Image.Image) -> Image.Image:
    """The image at the scale that a JPEG of its size is decoded at."""
    room = min(image.size) // _DRAFT_SIDE
    factor = next((factor for factor in (8, 4, 2) if factor <= room), 1)
    return image.reduce(factor) if factor > 1 and image.mode in _REDUCIBLE else image


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What turns the image as its EXIF orientation wants it seen."""
    if image.format == "HEIF":  # turned by its decoder, as the container says; EXIF only repeats it
        return None
    tags = Image.Exif()  # not `getexif`, which also has XMP's, by which no browser goes
    try:
        tags.load(image.info.get("exif") or b"")
        orientation = tags.get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF, which many good photos have; its readers raise anything
        return None
    if isinstance(orientation, bytes) and len(orientation) == 1:  # some cameras write a byte
        orientation = orientation[0]
    return _TURNS.get(orientation) if isinstance(orientation, int) else None

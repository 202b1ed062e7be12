"""Decoding: a photo within limits of size, memory and time, upright and in sRGB; a photo's id, its
thumbnail."""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
from io import BytesIO

from PIL import ExifTags, Image, ImageChops

from lens.errors import (
    NotAnImageError,
    PhotoError,
    PhotoTooLargeError,
    TooManyPixelsError,
)
from lens.photos import jpeg_file, png_file
from lens.photos.apart import Apart, NotStartedError
from lens.photos.colors import in_srgb
from lens.photos.opening import of_the_photo, open_photo
from lens.photos.pixel_budget import PixelBudget
from lens.settings import Limits

log = logging.getLogger(__name__)

THUMBNAIL_SIDE = 384
# A photo is reduced to 1/2, 1/4 or 1/8 while both sides stay at least this large: twice the
# thumbnail, so it is never seen. JPEGs are decoded at that scale, which saves most of the time.
_DRAFT_SIDE = 2 * THUMBNAIL_SIDE
# Long strips are reduced further: no decoded photo has more pixels.
_MOST_DECODED = 8_000_000
_REDUCIBLE = {"L", "LA", "RGB", "RGBA", "CMYK"}

# Decoders that let other threads run, and take few bytes a pixel, up to so many pixels in all their
# passes. The others hold Python's lock for some 30 ms a million: those photos are decoded apart.
_HERE = {"JPEG": 128_000_000, "MPO": 128_000_000, "PNG": 16_000_000}
_HERE_OTHERS = 1_000_000
_LARGE = 16_000_000

_LOW_BYTES = "RGB;16L"  # the half of a PNG's 16 bits that Pillow leaves out
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

_budget, _apart = PixelBudget(), Apart()
_inherited: list[Apart] = []  # in a fork: the parent's, whose pipes are not to be touched


def _afresh() -> None:
    global _budget, _apart
    _inherited.append(_apart)
    _budget, _apart = PixelBudget(), Apart()


os.register_at_fork(after_in_child=_afresh)
atexit.register(lambda: _apart.close())


def photo_id(data: bytes) -> str:
    """A photo's identity: 128 bits of its bytes' SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()[:32]


def decode(data: bytes, limits: Limits) -> Image.Image:
    """Decode a photo to RGB in sRGB, upright, transparency over white, without its metadata; of
    several frames, the first.

    Raises a PhotoError; its pixel count is checked before anything is decoded. What may be in work
    at one time is limited, so this may wait.
    """
    if not data:
        raise NotAnImageError("the photo is empty (0 bytes); choose another file")
    if len(data) > limits.photo_bytes:
        raise PhotoTooLargeError(
            f"the photo has {len(data) / 1e6:.1f} MB; at most {limits.photo_bytes / 1e6:.1f} MB "
            "are accepted: send a smaller copy"
        )
    image = open_photo(data)
    pixels = image.width * image.height
    if pixels > limits.photo_pixels:
        raise TooManyPixelsError(
            f"the photo has {pixels / 1e6:.1f} megapixels; at most "
            f"{limits.photo_pixels / 1e6:.1f} are accepted: send a smaller copy"
        )
    with _budget.taken(pixels):
        if limits.apart and _belongs_apart(image):
            try:
                found = _apart.decode(data, limits.photo_pixels)
                return Image.frombytes("RGB", found.size, found.rgb)
            except NotStartedError as error:
                log.warning("a large photo is decoded here, where others wait for it: %s", error)
        try:
            return _decoded(image, data)
        finally:
            del image  # before memory is given back


def _belongs_apart(image: Image.Image) -> bool:
    pixels = image.width * image.height
    here = _HERE.get(image.format or "", _HERE_OTHERS)
    return pixels > _LARGE or pixels * image.info.get("passes", 1) > here


def _decoded(image: Image.Image, data: bytes) -> Image.Image:
    try:
        image = _loaded(image, data)
        turn = _turn(image)
        rgb = _reduced(in_srgb(_reduced(image)))
        if turn is not None:
            rgb = rgb.transpose(turn)
    except (MemoryError, PhotoError):
        raise
    except Exception as error:
        # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error, ...
        raise of_the_photo(error) from error
    rgb.info = {}  # or its comments would be written into every thumbnail
    return rgb


def upright_size(data: bytes) -> tuple[int, int]:
    """Width and height of a photo as it is seen, before decoding reduces it. Raises a PhotoError
    when the bytes are no photo."""
    image = open_photo(data)
    turned = _turn(image) in _ON_THEIR_SIDE
    return (image.height, image.width) if turned else image.size


def thumbnail(image: Image.Image, side: int = THUMBNAIL_SIDE) -> bytes:
    """A JPEG of the image, its long side at most `side` pixels."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = BytesIO()
    small.save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue()


def _loaded(image: Image.Image, data: bytes) -> Image.Image:
    """The image, decoded; a JPEG that lacks no more than its end too, as browsers show it."""
    inverted = image.info.get("inverted")
    _draft(image)
    try:
        image.load()
    except OSError:
        if image.format not in ("JPEG", "MPO"):
            raise
        image = Image.open(BytesIO(jpeg_file.mended(data)), formats=("JPEG",))
        _draft(image)
        image.load()
        if not jpeg_file.is_whole(image):
            raise
    vars(image).pop("_decoder", None)  # WebP's and AVIF's, which have the pixels two times more
    if inverted:
        image = ImageChops.invert(image)
    return _keyed(image, image.info["key"]) if "key" in image.info else image


def _draft(image: Image.Image) -> None:
    """Have it decoded at the scale that it is reduced to; only JPEGs know how."""
    factor = _factor(image)
    image.draft("RGB", (max(1, image.width // factor), max(1, image.height // factor)))


def _keyed(image: Image.Image, png: png_file.Png) -> Image.Image:
    """An image of 16 bits a channel, see-through where it has exactly the key's color."""
    low = Image.open(BytesIO(png.picture), formats=("PNG",))
    low.tile = [tile._replace(args=_LOW_BYTES) for tile in low.tile]
    low.load()
    opaque = Image.new("L", image.size)
    for half, shift in ((image, 8), (low, 0)):  # band by band, or it would take a gigabyte
        for band, level in enumerate(png.key or ()):
            wanted = level >> shift & 0xFF
            differs = [0 if each == wanted else 255 for each in range(256)]
            opaque = ImageChops.lighter(opaque, half.getchannel(band).point(differs))
    del low, half
    image.info.pop("transparency", None)
    image.putalpha(opaque)
    return image


def _reduced(image: Image.Image) -> Image.Image:
    """The image at the scale that a JPEG of its size is decoded at."""
    factor = _factor(image)
    return image.reduce(factor) if factor > 1 and image.mode in _REDUCIBLE else image


def _factor(image: Image.Image) -> int:
    room = min(image.size) // _DRAFT_SIDE
    factor = next((factor for factor in (8, 4, 2) if factor <= room), 1)
    while factor < 8 and image.width * image.height > _MOST_DECODED * factor**2:
        factor *= 2
    return factor


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What turns the image as its EXIF orientation wants it seen."""
    if image.format in ("HEIF", "TIFF"):  # turned by their decoders; HEIF's EXIF only repeats it
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

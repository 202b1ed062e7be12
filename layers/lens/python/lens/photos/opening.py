"""Opening: a photo's bytes as an image that is not decoded yet, by what they say that they are."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from lens.errors import BrokenImageError, NotAnImageError, PhotoError, UnsupportedImageError
from lens.photos import heif_file, jpeg_file, png_file, tiff_file
from lens.photos.colors import PROFILE_BYTES
from lens.photos.suffix import kind_of

# What is recommended; of others, what a file with a photo's name may be all the same is known too.
ACCEPTED = "JPEG, PNG, WebP, AVIF or HEIC"

# A kilobyte can ask for hundreds of passes over every pixel. Encoders write about ten.
_MOST_SCANS = 50

# Which half of a PNG's 16 bits Pillow keeps.
_HIGH_BYTES = "RGB;16B"
# What comparing 16 bits with a color takes, in plain PNGs of the same size.
_KEYED_PASSES = 8
DAMAGED = "the photo is truncated or damaged; choose another file"

# Pillow would warn, then raise, by its own count of pixels; `Limits` decides here.
Image.MAX_IMAGE_PIXELS = None
# One decoder for every TIFF: Pillow's own takes 16 bits in separate planes for 8.
TiffImagePlugin.READ_LIBTIFF = True


def open_photo(data: bytes) -> Image.Image:
    """An image that is not decoded yet. Its info has what its colors and its turn go by, and the
    `passes` over its pixels that decoding takes. Raises a PhotoError."""
    kind = kind_of(data)
    if kind is None:
        raise NotAnImageError(f"this is not a photo; send a {ACCEPTED} file")
    if kind not in _OPEN:
        raise UnsupportedImageError(f"{kind} files are not accepted; send a {ACCEPTED} file")
    try:
        return _OPEN[kind](data)
    except (MemoryError, PhotoError):
        raise
    except Exception as error:
        raise of_the_photo(error) from error


def of_the_photo(error: Exception) -> Exception:
    """What an error of a decoder means: the photo is damaged, unless the system has said it, who
    may have no more files. Decoders raise OSError, too, and many others."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return BrokenImageError(DAMAGED)


def _open_jpeg(data: bytes) -> Image.Image:
    scans = jpeg_file.scans(data, _MOST_SCANS)
    if scans > _MOST_SCANS:
        raise BrokenImageError(
            f"the photo is a JPEG of more than {_MOST_SCANS} scans; save it again as a plain JPEG"
        )
    try:
        image = Image.open(BytesIO(data), formats=("JPEG",))
    except UnidentifiedImageError:
        image = Image.open(BytesIO(jpeg_file.mended(data)), formats=("JPEG",))
    image.info["passes"] = scans
    # Pillow undoes Adobe's inversion also where there is none: in JPEGs without its marker.
    image.info["inverted"] = image.mode == "CMYK" and "adobe" not in image.info
    return image


def _open_png(data: bytes) -> Image.Image:
    """Its texts, which may unpack to gigabytes, are not even looked at."""
    png = png_file.read_png(data)
    image = Image.open(BytesIO(png.picture), formats=("PNG",))
    points = png.code_points()
    profile = None if points else png.profile(PROFILE_BYTES)
    image.info |= {"exif": png.exif, "icc_profile": profile, "code_points": points}
    if png.key and image.tile[0].args == _HIGH_BYTES:  # Pillow would compare it with these alone
        image.info |= {"key": png, "passes": _KEYED_PASSES}
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


def _open_tiff(data: bytes) -> Image.Image:
    photo = tiff_file.photo_first(data)
    try:
        return Image.open(BytesIO(photo), formats=("TIFF",))
    except UnidentifiedImageError as error:
        raise tiff_file.unsupported("of a kind that is not known here") from error


def _open_gif(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=("GIF",))


def _open_bmp(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=("BMP",))


_OPEN = {
    "JPEG": _open_jpeg,
    "PNG": _open_png,
    "WebP": _open_webp,
    "AVIF": _open_avif,
    "HEIC": _open_heic,
    "TIFF": _open_tiff,
    "GIF": _open_gif,
    "BMP": _open_bmp,
}


@cache
def _learn_heif() -> None:
    """Few photos are HEIC, and its decoder takes 25 ms of CPU, 60 ms of a cold disk and 3 MiB."""
    from pi_heif import register_heif_opener

    # Embedded previews, depth maps and gain maps are never looked at.
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

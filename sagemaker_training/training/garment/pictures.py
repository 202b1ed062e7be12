"""Pictures: photos from disk, and the size at which they are trained on."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lens.errors import PhotoError, UsageError
from lens.photos.decoding import decode
from lens.settings import Limits


def read_photo(path: Path) -> Image.Image:
    """A photo, upright RGB, as serving decodes it; UsageError when it is missing or damaged."""
    try:
        return decode(path.read_bytes(), Limits())
    except (OSError, PhotoError) as error:
        raise UsageError(f"{path} cannot be used ({error}): remove it, or mend it") from error


def reduced(image: Image.Image, side: int) -> Image.Image:
    """The image with its longer side at most `side` pixels; a smaller one as it is."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)

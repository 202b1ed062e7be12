"""Makes this folder's HEIC files from garment.jpg; run by hand, in an environment of its own.

    pip install pillow-heif && python tests/lens/photos/files/make.py

pillow-heif bundles an encoder under the GPL, which this project must not depend on.
garment.jpg is a photo of the sample catalog (`lens sample`), 240 x 300.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import ExifTags, Image
from pillow_heif import from_bytes, register_heif_opener

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[3]))

from tests.support.color_profiles import DISPLAY_P3, from_srgb, matrix_profile  # noqa: E402

# How a camera holds a photo whose EXIF asks for this turn.
HELD = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def make() -> None:
    register_heif_opener()
    garment = Image.open(FOLDER / "garment.jpg").convert("RGB")
    garment.save(FOLDER / "plain.heic", quality=70)
    for orientation, held in HELD.items():
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        photo = garment if held is None else garment.transpose(held)
        # As phones write it: the container turns the photo and EXIF says so once more.
        photo.save(FOLDER / f"orientation-{orientation}.heic", quality=70, exif=exif.tobytes())
    photo = from_srgb(garment, DISPLAY_P3)
    photo.save(FOLDER / "display-p3.heic", quality=70, icc_profile=matrix_profile(DISPLAY_P3))
    transparent = garment.convert("RGBA")
    transparent.putalpha(Image.open(FOLDER / "mask.png").convert("L"))
    transparent.save(FOLDER / "alpha.heic", quality=70)
    garment.convert("L").save(FOLDER / "gray.heic", quality=70)
    sixteen = bytes(byte for level in garment.tobytes() for byte in (level, level))
    from_bytes("RGB;16", garment.size, sixteen).save(FOLDER / "ten-bits.heic", quality=70)
    second = garment.transpose(Image.Transpose.ROTATE_180).resize((60, 75))
    garment.save(FOLDER / "two-pictures.heic", save_all=True, append_images=[second], quality=70)


if __name__ == "__main__":
    make()

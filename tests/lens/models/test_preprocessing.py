"""Preprocessing: the padded square, the normalization, and the parameters' round trip."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from lens.models.manifest import Preprocessing
from lens.models.preprocessing import to_pixels

PREPROCESSING = Preprocessing(
    size=32, fill=(250, 240, 230), mean=(127, 120, 110), std=(128, 64, 32), resample="bicubic"
)


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(levels)


def test_pixels_are_channels_first_float32() -> None:
    pixels = to_pixels(photo(40, 60), PREPROCESSING)
    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == np.float32
    assert pixels.flags.c_contiguous


def test_a_photo_of_the_input_size_is_only_normalized() -> None:
    image = photo(32, 32)
    expected = (np.asarray(image, np.float64) - PREPROCESSING.mean) / PREPROCESSING.std
    np.testing.assert_allclose(
        to_pixels(image, PREPROCESSING), expected.transpose(2, 0, 1), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize(("width", "height"), [(64, 32), (32, 64), (8, 4), (301, 100)])
def test_the_whole_photo_is_centered_and_the_rest_is_fill(width: int, height: int) -> None:
    black = Image.new("RGB", (width, height))
    pixels = to_pixels(black, PREPROCESSING)
    levels = pixels.transpose(1, 2, 0) * PREPROCESSING.std + PREPROCESSING.mean
    is_fill = np.abs(levels - PREPROCESSING.fill).max(axis=2) < 1e-3
    is_photo = np.abs(levels).max(axis=2) < 1e-3
    assert (is_fill | is_photo).all()
    inside = np.argwhere(is_photo)
    top, left = inside.min(axis=0)
    bottom, right = inside.max(axis=0)
    shown = (right - left + 1, bottom - top + 1)
    assert shown == (
        round(width * 32 / max(width, height)),
        round(height * 32 / max(width, height)),
    )
    assert abs(top - (31 - bottom)) <= 1
    assert abs(left - (31 - right)) <= 1


def test_a_photo_thinner_than_a_pixel_keeps_one() -> None:
    pixels = to_pixels(Image.new("RGB", (1, 4000)), PREPROCESSING)
    assert (pixels[0] < 0).any(axis=0).sum() == 1


def test_channels_stay_red_green_blue() -> None:
    red = to_pixels(Image.new("RGB", (10, 10), (255, 0, 0)), PREPROCESSING)
    np.testing.assert_allclose(red[:, 16, 16], [128 / 128, -120 / 64, -110 / 32], rtol=1e-6)


def test_other_resampling_gives_other_pixels() -> None:
    image = photo(90, 70)
    bilinear = PREPROCESSING.model_copy(update={"resample": "bilinear"})
    assert np.abs(to_pixels(image, PREPROCESSING) - to_pixels(image, bilinear)).max() > 0.01


def test_parameters_survive_the_manifest_and_give_the_same_pixels() -> None:
    loaded = Preprocessing.model_validate_json(PREPROCESSING.model_dump_json())
    assert loaded == PREPROCESSING
    image = photo(50, 70)
    np.testing.assert_array_equal(to_pixels(image, loaded), to_pixels(image, PREPROCESSING))


@pytest.mark.parametrize(
    "change",
    [
        {"size": 0},
        {"std": (1.0, 0.0, 1.0)},
        {"fill": (0, 0, 256)},
        {"fit": "crop"},
        {"resample": "nearest"},
        {"crop": 0.8},
    ],
)
def test_parameters_this_code_does_not_know_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Preprocessing.model_validate(PREPROCESSING.model_dump() | change)

"""Colors: numbers become sRGB by what they are said to mean, or are refused. Covers: colors,
color_profiles, tone_mapping."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from lens.errors import UnsupportedImageError
from lens.photos.code_points import CodePoints
from lens.photos.color_profiles import SRGB, Primaries, profile_of
from lens.photos.colors import in_srgb
from lens.photos.decoding import decode
from lens.photos.tone_mapping import HLG, PQ, ToneMap
from lens.settings import Limits
from tests.support import color_profiles
from tests.support.color_profiles import ADOBE_RGB, matrix_profile
from tests.support.odd_photos import avif


def one(level: int, points: CodePoints) -> list[int]:
    image = Image.new("RGB", (1, 1), (level,) * 3)
    image.info["code_points"] = points
    return [int(level) for level in np.asarray(in_srgb(image))[0, 0]]


def test_a_profile_that_is_made_says_what_the_camera_s_says() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    adobe = Primaries((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
    found = []
    for profile in (profile_of(adobe, ADOBE_RGB.gamma), matrix_profile(ADOBE_RGB)):
        image.info["icc_profile"] = profile
        found.append(np.asarray(in_srgb(image), np.int16))
    assert np.abs(found[0] - found[1]).max() <= 1


def test_srgb_s_own_profile_changes_nothing() -> None:
    assert ImageCms.ImageCmsProfile(BytesIO(profile_of(SRGB, None))).profile.xcolor_space == "RGB "
    image = Image.new("RGB", (1, 1), (12, 100, 200))
    image.info["icc_profile"] = profile_of(SRGB, None)
    assert in_srgb(image).getpixel((0, 0)) == (12, 100, 200)


@pytest.mark.parametrize("gamma", [0.0, 0.01, 100.0])
def test_a_gamma_that_no_file_has_is_refused(gamma: float) -> None:
    with pytest.raises(ValueError, match="gamma"):
        profile_of(SRGB, gamma)


@pytest.mark.parametrize(
    ("level", "transfer", "expected"),
    [
        (0, PQ, 0),
        (148, PQ, 188),  # 203 cd/m²: half of the screen's light
        (192, PQ, 255),  # 1,000
        (255, PQ, 255),  # 10,000
        (191, HLG, 188),
        (255, HLG, 255),
    ],
)
def test_high_range_is_mapped_by_the_stated_rule(level: int, transfer: int, expected: int) -> None:
    found = one(level, CodePoints(9, transfer))
    assert np.abs(np.array(found) - expected).max() <= 2


def test_a_tone_map_keeps_the_order_of_grays() -> None:
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (1, 1, 3)))
    for transfer in (PQ, HLG):
        levels = np.asarray(ToneMap(transfer, SRGB).apply(ramp), np.int16)[0]
        assert (np.diff(levels, axis=0) >= -1).all()


@pytest.mark.parametrize("points", [(0, 13), (3, 1), (1, 9), (1, 17), (255, 255)])
def test_colors_that_nobody_knows_are_refused_by_their_numbers(points: tuple[int, int]) -> None:
    with pytest.raises(UnsupportedImageError, match=f"primaries {points[0]}, transfer {points[1]}"):
        decode(avif(*points), Limits())


def test_a_profile_counts_before_code_points() -> None:
    image = Image.new("RGB", (1, 1), (200, 40, 40))
    profile = matrix_profile(color_profiles.SRGB)
    image.info |= {"code_points": CodePoints(9, PQ), "icc_profile": profile}
    assert np.abs(np.asarray(in_srgb(image), np.int16)[0, 0] - (200, 40, 40)).max() <= 5

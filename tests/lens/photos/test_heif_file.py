"""HEIF files: which codec a file needs, and what its main picture says of its colors (CodePoints in
code_points.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lens.photos.code_points import CodePoints
from lens.photos.decoding import decode
from lens.photos.heif_file import code_points, codec_of, led_by
from lens.settings import Limits
from tests.support.odd_photos import avif, branded

HEIC = (Path(__file__).parent / "files" / "plain.heic").read_bytes()


@pytest.mark.parametrize(
    "brands", [(b"heic",), (b"mif1", b"heic"), (b"mif1",), (b"miaf",), (b"mif2", b"miaf")]
)
def test_heic_is_told_by_its_brands_or_its_picture(brands: tuple[bytes, ...]) -> None:
    file = branded(HEIC, *brands)
    assert codec_of(file) == "HEIC"
    assert decode(file, Limits()).tobytes() == decode(HEIC, Limits()).tobytes()


@pytest.mark.parametrize(
    "brands", [(b"avif",), (b"mif1", b"avif"), (b"mif1",), (b"miaf",), (b"mif2", b"MA1B")]
)
def test_avif_is_told_by_its_brands_or_its_picture(brands: tuple[bytes, ...]) -> None:
    file = branded(avif(), *brands)
    assert codec_of(file) == "AVIF"
    assert decode(file, Limits()).tobytes() == decode(avif(), Limits()).tobytes()


@pytest.mark.parametrize("data", [b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", branded(HEIC, b"mp42")])
def test_a_video_is_neither(data: bytes) -> None:
    assert codec_of(data) is None


def test_a_brand_that_the_decoder_knows_stays_in_front() -> None:
    assert led_by("HEIC", HEIC) is HEIC
    assert led_by("AVIF", branded(avif(), b"mif1"))[8:12] == b"avif"


def test_the_colors_are_the_main_picture_s() -> None:
    assert code_points(HEIC) == CodePoints(1, 13)
    assert code_points(avif(9, 16)) == CodePoints(9, 16)


def test_heic_of_high_range_looks_as_its_avif_twin() -> None:
    at = HEIC.index(b"colrnclx") + 8
    pq = HEIC[:at] + b"\0\x09\0\x10" + HEIC[at + 4 :]
    assert np.asarray(decode(pq, Limits())).mean() != np.asarray(decode(HEIC, Limits())).mean()
    assert code_points(pq) == code_points(avif(9, 16))


@pytest.mark.parametrize("seed", range(200))
def test_boxes_that_lie_lead_to_no_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray((HEIC, avif())[seed % 2][: rng.integers(20, 900)])
    for at in rng.integers(4, len(data), 8):
        data[at] = rng.integers(256)
    data[4:8] = b"ftyp"
    code_points(bytes(data))
    codec_of(bytes(data))

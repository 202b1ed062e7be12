"""PNG files: only the picture reaches the decoder; the chunks beside it tell colors and turn."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest

from lens.photos.code_points import CodePoints
from lens.photos.png_file import read_png
from tests.support.odd_photos import SRGB_PROFILE, chunk, png
from tests.support.photos import text_bombs

MB = 2**20


def test_nothing_but_the_picture_is_kept() -> None:
    odd = png(chunk(b"tEXt", b"Software\0shop"), chunk(b"iCCP", b"x\0\0" + zlib.compress(b"1")))
    assert read_png(odd).picture == png()


def test_a_text_or_profile_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    odd = png(*(chunk(*bomb) for bomb in text_bombs().values()))
    tracemalloc.start()
    file = read_png(odd)
    assert file.profile(MB) is None
    assert tracemalloc.get_traced_memory()[1] < 8 * MB
    tracemalloc.stop()


def test_an_optional_chunk_with_a_wrong_checksum_is_left_out() -> None:
    assert read_png(png(chunk(b"cICP", b"\x0c\x0d\0\1", wrong=True))).code_points() is None
    assert read_png(png(chunk(b"cICP", b"\x0c\x0d\0\1"))).code_points() == CodePoints(12, 13)


def test_a_profile_counts_before_srgb_and_srgb_before_gamma() -> None:
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(SRGB_PROFILE))
    srgb, gamma = chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000))
    assert read_png(png(gamma, srgb, profile)).profile(MB) == SRGB_PROFILE
    assert read_png(png(gamma, srgb)).profile(MB) is None
    assert read_png(png(gamma)).profile(MB) is not None


@pytest.mark.parametrize("gamma", [0, 1, 45_455, 2**32 - 1])
def test_a_gamma_that_is_srgb_s_or_none_is_no_profile(gamma: int) -> None:
    assert read_png(png(chunk(b"gAMA", struct.pack(">I", gamma)))).profile(MB) is None


def test_primaries_that_span_nothing_are_no_profile() -> None:
    one = chunk(b"cHRM", struct.pack(">8I", *[30_000] * 8))
    gamma = chunk(b"gAMA", struct.pack(">I", 100_000))
    assert read_png(png(gamma, one)).profile(MB) is None


@pytest.mark.parametrize("end", range(8, 60))
def test_a_file_that_is_cut_off_anywhere_is_read(end: int) -> None:
    assert read_png(png(chunk(b"eXIf", b"II*\0"))[:end]).picture

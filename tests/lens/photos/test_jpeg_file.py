"""JPEG files: what a browser shows is decoded; half a photo does not pass for one."""

from __future__ import annotations

import numpy as np
import pytest

from lens.errors import BrokenImageError
from lens.photos.decoding import decode
from lens.photos.jpeg_file import mended, scans
from lens.settings import Limits
from tests.support.odd_photos import jpeg, patches
from tests.support.photos import picture


@pytest.mark.parametrize("missing", [1, 2, 20])
def test_a_jpeg_without_its_end_is_decoded(missing: int) -> None:
    whole = jpeg(patches().resize((960, 1280)))
    found = decode(whole[:-missing], Limits())
    difference = np.asarray(found, np.int16) - np.asarray(decode(whole, Limits()), np.int16)
    assert np.abs(difference).mean() < 1


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_that_lacks_many_rows_is_refused(share: float, mode: str) -> None:
    data = jpeg(picture(640, 480).convert(mode))
    with pytest.raises(BrokenImageError, match="truncated"):
        decode(data[: int(share * len(data))], Limits())


def test_a_progressive_jpeg_is_decoded_from_its_first_scans_on() -> None:
    data = jpeg(picture(640, 480), progressive=True)
    assert decode(data[: len(data) * 2 // 3], Limits()).size == (640, 480)
    with pytest.raises(BrokenImageError):
        decode(data[: len(data) // 50], Limits())


def test_mending_keeps_every_pixel() -> None:
    data = jpeg()
    assert decode(mended(data), Limits()).tobytes() == decode(data, Limits()).tobytes()


def test_scans_are_counted_where_their_bytes_are_suspiciously_many() -> None:
    data = jpeg(comment=b"\xff\xda" * 60)
    assert scans(data, 100) == 61
    assert scans(data, 50) == 1

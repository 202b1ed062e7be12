"""A JPEG file: how many passes its picture takes, and what lets one be decoded that browsers show
although it is damaged."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image

_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_END = b"\xff\xd9"
_START_OF_SCAN, _FIRST_APP, _LAST_APP, _ADOBE = 0xDA, 0xE0, 0xEF, 0xEE
_NO_LENGTH = {0x01, *range(0xD0, 0xD9)}
# What a decoder shows where bytes lack, and how much of a photo may lack.
_GRAYS = (127, 128)  # the one is ink
_MOST_MISSING = 1 / 20


def scans(data: bytes, suspicious: int) -> int:
    """An upper bound of the picture's scans; the true number where that bound is suspicious."""
    bound = data.count(b"\xff\xda")
    if bound <= suspicious:
        return bound
    # Videos and further pictures behind the photo, and its metadata, hold these bytes by chance.
    scans, position = 0, 2
    while (found := _MARKER.search(data, position)) is not None:
        marker, position = found[1][0], found.end()
        if marker == _END[1]:
            break
        if marker == _START_OF_SCAN:
            scans += 1
        if marker not in _NO_LENGTH:
            position += int.from_bytes(data[position : position + 2], "big")
    return scans


def mended(data: bytes) -> bytes:
    """The same picture with an end, and without application segments that are cut short; only for
    a file that could not be decoded as it is."""
    kept, position = [data[:2]], 2
    while (found := _MARKER.search(data, position)) is not None and found.start() == position:
        marker, start = found[1][0], found.end()
        if marker == _START_OF_SCAN or marker in _NO_LENGTH:
            break
        end = start + int.from_bytes(data[start : start + 2], "big")
        if not (marker == _ADOBE and end - start < 14):
            kept.append(data[position:end])
        position = end
    return b"".join([*kept, data[position:], _END])


def is_whole(image: Image.Image) -> bool:
    """Whether at most a twentieth of a mended photo's rows lack: decoders show those gray."""
    rows = np.asarray(image).reshape(image.height, -1)
    shown = np.flatnonzero((~np.isin(rows, _GRAYS)).any(axis=1))
    missing = image.height - 1 - shown[-1] if len(shown) else image.height
    return bool(missing <= _MOST_MISSING * image.height)

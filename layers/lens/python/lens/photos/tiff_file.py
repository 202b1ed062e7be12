"""A TIFF file: which of its pages is the photo, and whether its numbers can be shown as they are
meant."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from lens.errors import BrokenImageError, UnsupportedImageError

_DAMAGED = "the photo is truncated or damaged; choose another file"
_RAW = "a camera's raw file"


class _Tag(IntEnum):
    SUBFILE = 254
    OLD_SUBFILE = 255
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    COLORS = 262
    PALETTE = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    INKS = 332
    FORMAT = 339
    DNG = 50706


_Tags = dict[int, tuple[int, ...]]
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # the types that hold whole numbers
_MOST_PAGES, _MOST_TAGS, _MOST_VALUES = 64, 4_096, 768
_SMALL_COPY_OR_MASK, _OLD_SMALL_COPY = 1 | 4, 2
# By what its numbers mean: of how many bits they may be.
_BITS = {
    0: {1, 2, 4, 8},  # gray, 0 is white; of 16 bits, it would be shown as a negative
    1: {1, 2, 4, 8, 16},  # gray
    2: {8, 16},  # RGB
    3: {1, 2, 4, 8},  # palette
    5: {8, 16},  # CMYK
    6: {8},  # YCbCr
    8: {8},  # CIELab
}
_NAMES = {4: "a mask", 9: "in ICCLab", 10: "in ITULab", 32844: "in LogL", 32845: "in LogLuv"}
_NAMES |= {32803: _RAW, 34892: _RAW}
_CMYK, _PALETTE = 5, 3
# None, CCITT's, LZW, JPEG, deflate (two numbers), PackBits, LZMA, Zstandard.
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000}
# A tile may be larger than its photo, which would be memory without pixels.
_LARGEST_TILE = 2**22


def photo_first(data: bytes) -> bytes:
    """The same file, beginning with the page that is the photo: the first that is no small copy and
    no mask.

    Raises UnsupportedImageError, which says why, for what would be shown as another picture.
    """
    order = "<" if data.startswith(b"II") else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    at, size = (8, "Q") if big else (4, "I")
    if data[8:10] == b"CR":  # Canon's, whose first page is a small copy that does not say so
        raise unsupported(_RAW)
    if big and order == ">":  # which Pillow takes for an ordinary one
        raise unsupported("a BigTIFF of big-endian numbers")
    for number, (start, tags) in enumerate(_pages(data, order, big)):
        if _Tag.DNG in tags:
            raise unsupported(_RAW)
        if _is_the_photo(tags):
            _require_known(tags)
            pointer = struct.pack(order + size, start)
            return data[:at] + pointer + data[at + len(pointer) :] if number else data
    raise unsupported("of small copies alone, as a camera's raw file is")


def unsupported(what: str) -> UnsupportedImageError:
    """The refusal of a TIFF file that is `what`."""
    return UnsupportedImageError(f"the photo is a TIFF file, {what}: export it as a JPEG")


def _is_the_photo(tags: _Tags) -> bool:
    if _first(tags, _Tag.OLD_SUBFILE, 0) == _OLD_SMALL_COPY:
        return False
    return not _first(tags, _Tag.SUBFILE, 0) & _SMALL_COPY_OR_MASK


def _require_known(tags: _Tags) -> None:
    width, height = _first(tags, _Tag.WIDTH, 0), _first(tags, _Tag.HEIGHT, 0)
    tile = _first(tags, _Tag.TILE_WIDTH, 0) * _first(tags, _Tag.TILE_HEIGHT, 0)
    if not width * height or tile > max(_LARGEST_TILE, 4 * width * height):
        raise BrokenImageError(_DAMAGED)
    colors, bits = _first(tags, _Tag.COLORS, 0), tags.get(_Tag.BITS, (1,))
    compression = _first(tags, _Tag.COMPRESSION, 1)
    if colors not in _BITS:
        raise unsupported(_NAMES.get(colors, f"of colors ({colors}) that are not known here"))
    if compression not in _COMPRESSIONS:
        raise unsupported(f"compressed in a way ({compression}) that is not known here")
    if set(tags.get(_Tag.FORMAT, (1,))) != {1}:
        raise unsupported("of numbers with a sign or a fraction")
    if len(set(bits)) > 1 or bits[0] not in _BITS[colors]:
        raise unsupported(f"of {'/'.join(map(str, bits))} bits")
    if colors == _CMYK and _first(tags, _Tag.INKS, 1) != 1:
        raise unsupported("of other inks than CMYK")
    if colors == _PALETTE and max(tags.get(_Tag.PALETTE, (0,))) < 256:  # of 65,535, as some forget
        raise unsupported("whose palette has too small numbers")


def _pages(data: bytes, order: str, big: bool) -> Iterator[tuple[int, _Tags]]:
    """Where each page's tags begin, and what whole numbers they have."""
    count, size = ("Q", "Q") if big else ("H", "I")
    entry, inline = (20, 8) if big else (12, 4)
    seen: set[int] = set()
    (start,) = struct.unpack_from(order + size, data, 8 if big else 4)
    while start and start not in seen and len(seen) < _MOST_PAGES:
        seen.add(start)
        (entries,) = struct.unpack_from(order + count, data, start)
        if entries > _MOST_TAGS:
            raise BrokenImageError(_DAMAGED)
        first = start + struct.calcsize(order + count)
        end = first + entries * entry
        tags: _Tags = {}
        for at in range(first, end, entry):
            tag, kind, many = struct.unpack_from(f"{order}HH{size}", data, at)
            if kind not in _NUMBERS or not many:
                continue
            number = _NUMBERS[kind]
            place = at + entry - inline
            if many * struct.calcsize(order + number) > inline:
                (place,) = struct.unpack_from(order + size, data, place)
            letters = f"{order}{min(many, _MOST_VALUES)}{number}"
            if place + struct.calcsize(letters) <= len(data):
                tags[tag] = struct.unpack_from(letters, data, place)
        yield start, tags
        (start,) = struct.unpack_from(order + size, data, end)


def _first(tags: _Tags, tag: _Tag, otherwise: int) -> int:
    return tags.get(tag, (otherwise,))[0]

"""A HEIF file (AVIF, HEIC): which codec its picture needs, and what it says of its colors."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from lens.photos.code_points import CodePoints

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"he" + rest for rest in (b"ic", b"ix", b"im", b"is")}
_HEIC_BRANDS |= {b"hev" + rest for rest in (b"c", b"x", b"m", b"s")}
# These say that it is HEIF, and not of which codec.
_SHARED_BRANDS = {b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"MiHE", b"MiHB", b"MiHA"}
_SHARED_BRANDS |= {b"MA1A", b"MA1B", b"1pic", b"tmap"}
_CODECS = {b"av01": "AVIF", b"hvc1": "HEIC", b"hev1": "HEIC"}
_LEADING = {"AVIF": (b"avif", _AVIF_BRANDS), "HEIC": (b"heic", _HEIC_BRANDS)}

_Box = tuple[bytes, int, int]  # its name, and where what is in it begins and ends


def is_heif(data: bytes) -> bool:
    """Whether it begins as HEIF, and many videos, do."""
    return data.startswith(b"ftyp", 4)


def codec_of(data: bytes) -> str | None:
    """AVIF or HEIC; None where it is neither: another codec, or a video."""
    brands = _brands(data)
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIC_BRANDS and not brands & _SHARED_BRANDS:
        return "HEIC"
    if brands & (_SHARED_BRANDS | _HEIC_BRANDS):
        found = {_CODECS[name] for name in _items(data).values() if name in _CODECS}
        if len(found) == 1:
            return found.pop()
        return "HEIC" if brands & (_HEIC_BRANDS | {b"mif1", b"msf1"}) else None
    return None


def led_by(codec: str, data: bytes) -> bytes:
    """The same file with a brand of this codec in front and in the list: decoders look for both."""
    leading, brands = _LEADING[codec]
    if data[8:12] in brands:
        return data
    return data[:8] + leading + data[12:16] + leading + data[20:]


def code_points(data: bytes) -> CodePoints | None:
    """What the main picture's `nclx` says; None where there is none."""
    try:
        meta = dict(_named(data, *_meta(data)))
        numbers = _associated(data, meta[b"ipma"], _primary(data, meta[b"pitm"]))
        properties = list(_boxes(data, *meta[b"ipco"]))
        for number in numbers:
            name, start, end = properties[number - 1]
            if name == b"colr" and data[start : start + 4] == b"nclx" and end - start >= 10:
                return CodePoints(*struct.unpack_from(">HH", data, start + 4))
    except (KeyError, IndexError, struct.error):
        pass
    return None


def _brands(data: bytes) -> set[bytes]:
    end = min(int.from_bytes(data[:4], "big"), len(data), 256)
    return {data[start : start + 4] for start in range(8, end, 4)}


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
    end = min(end, len(data))
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= end:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        size = size or end - start
        if size < head:
            return
        yield name, start + head, min(start + size, end)
        start += size


def _meta(data: bytes) -> tuple[int, int]:
    return next(
        ((start + 4, end) for name, start, end in _boxes(data, 0, len(data)) if name == b"meta"),
        (0, 0),
    )


def _named(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The boxes in `meta`, and those in `iprp` with them."""
    for name, first, last in _boxes(data, start, end):
        yield name, (first, last)
        if name == b"iprp":
            yield from _named(data, first, last)


def _primary(data: bytes, box: tuple[int, int]) -> int:
    start = box[0]
    return int.from_bytes(data[start + 4 : start + (8 if data[start] else 6)], "big")


def _associated(data: bytes, box: tuple[int, int], item: int) -> list[int]:
    """The numbers of an item's properties, from 1."""
    start, end = box
    version, wide = data[start], data[start + 3] & 1
    (entries,) = struct.unpack_from(">I", data, start + 4)
    at = start + 8
    for _ in range(min(entries, end - start)):
        (found,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        count = data[at]
        numbers = struct.unpack_from(f">{count}{'H' if wide else 'B'}", data, at + 1)
        at += 1 + count * (2 if wide else 1)
        if found == item:
            return [number & (0x7FFF if wide else 0x7F) for number in numbers]
    return []


def _items(data: bytes) -> dict[int, bytes]:
    """What each item is, by its number."""
    items: dict[int, bytes] = {}
    for name, start, end in _boxes(data, *_meta(data)):
        if name != b"iinf":
            continue
        skipped = 8 if data[start : start + 1] not in (b"\0", b"") else 6
        for entry, first, last in _boxes(data, start + skipped, end):
            if entry == b"infe" and last - first >= 12 and data[first] in (2, 3):
                number = 4 if data[first] == 3 else 2
                item = int.from_bytes(data[first + 4 : first + 4 + number], "big")
                items[item] = data[first + 6 + number : first + 10 + number]
    return items

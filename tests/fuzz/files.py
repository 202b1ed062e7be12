"""Files: the photo of a number, whole or with damage of every kind; it is always the same."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from PIL import Image

from tests.support.odd_photos import ODD, patches
from tests.support.photos import PDF, SVG, VIDEO, encode, picture
from tests.support.tiff_files import Page, tiff_file

_HEIC = Path(__file__).parents[1] / "lens/photos/files"
_INTERESTING = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
_MAGIC = (
    b"\xff\xd8\xff\xe0",
    b"\xff\xd8\xff\xc0",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"RIFF\xff\0\0\0WEBPVP8 ",
    b"RIFF\xff\0\0\0WEBPVP8L",
    b"RIFF\xff\0\0\0WEBPVP8X",
    b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"II+\0\x08\0\0\0",
    b"GIF89a",
    b"BM",
)


def file_of(number: int) -> bytes:
    """The file of a number."""
    rng = random.Random(number)
    if rng.random() < 0.05:
        return rng.choice(_MAGIC) + rng.randbytes(rng.choice((0, 8, 64, 2_000)))
    names = sorted(_bases())
    data = _whole(rng.choice(names))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 8))):
        data = damaged(rng, data, lambda: _whole(rng.choice(names)))
    return _resealed(data) if rng.random() < 0.5 else data


def damaged(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    """The data with one thing changed; `other` gives some to splice it with."""
    if not data:
        return rng.randbytes(8)
    return rng.choice(_DAMAGES)(rng, data, other)


def _place(rng: random.Random, data: bytes) -> int:
    """Mostly in front, where what a file says of itself is."""
    end = len(data) if rng.random() < 0.4 else min(len(data), rng.choice((64, 512, 4_096)))
    return rng.randrange(end)


def _bits(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 64))):
        out[_place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(out)


def _number(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    value = rng.choice((*_INTERESTING, len(data), len(data) + 1, rng.randrange(2**32)))
    letters = rng.choice((">I", "<I", ">H", "<H", "B"))
    size = struct.calcsize(letters)
    at = _place(rng, data)
    return data[:at] + struct.pack(letters, value % 256**size) + data[at + size :]


def _cut(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    return data[: rng.randrange(len(data))]


def _without(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice((1, 2, 4, 100, 5_000)) :]


def _twice(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    at, size = _place(rng, data), rng.choice((1, 4, 100, 5_000))
    return data[:at] + data[at : at + size] * rng.choice((2, 3, 40)) + data[at + size :]


def _more(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    at, size = _place(rng, data), rng.choice((1, 4, 100, 5_000))
    return data[:at] + rng.choice((bytes(size), rng.randbytes(size), b"\xff" * size)) + data[at:]


def _spliced(rng: random.Random, data: bytes, other: Callable[[], bytes]) -> bytes:
    more = other()
    return data[: _place(rng, data)] + more[rng.randrange(len(more) + 1) :]


_DAMAGES = (_bits, _bits, _number, _number, _number, _cut, _without, _twice, _more, _spliced)


def _resealed(data: bytes) -> bytes:
    """A PNG with right checksums, so that what is behind them is read."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        (size,) = struct.unpack_from(">I", out, at)
        end = at + 8 + size
        if end + 4 > len(out):
            break
        struct.pack_into(">I", out, end, zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


@cache
def _whole(name: str) -> bytes:
    return _bases()[name]()


@cache
def _bases() -> dict[str, Callable[[], bytes]]:
    """Whole files of every kind, by name; made when first wanted."""
    small = picture(48, 64)
    gray = small.convert("L")
    bases: dict[str, Callable[[], bytes]] = {name: odd.make for name, odd in ODD.items()}
    bases |= {path.name: path.read_bytes for path in _HEIC.glob("*.heic")}
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"):
        bases[f"small {kind}"] = partial(encode, small, kind)
    for how in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma"):
        bases[f"TIFF, {how}"] = partial(encode, small, "TIFF", compression=how)
    bases |= {
        "progressive": lambda: encode(small, "JPEG", progressive=True),
        "lossless WebP": lambda: encode(small, "WEBP", lossless=True),
        "see-through WebP": lambda: encode(small.convert("RGBA"), "WEBP"),
        "animated WebP": lambda: encode(small, "WEBP", save_all=True, append_images=[gray]),
        "animated GIF": lambda: encode(small, "GIF", save_all=True, append_images=[gray]),
        "animated PNG": lambda: encode(small, "PNG", save_all=True, append_images=[small]),
        "animated AVIF": lambda: encode(small, "AVIF", save_all=True, append_images=[small]),
        "MPO": lambda: encode(small, "MPO", save_all=True, append_images=[small]),
        "fax": lambda: encode(small.convert("1"), "TIFF", compression="group4"),
        "BigTIFF": lambda: encode(small, "TIFF", big_tiff=True),
        "TIFF of two pages": lambda: tiff_file(
            Page(1, 1, bytes(3), tags={254: (1,)}), Page(4, 4, bytes(48))
        ),
        "CMYK TIFF": lambda: encode(small.convert("CMYK"), "TIFF"),
        "Lab": lambda: encode(Image.new("LAB", (8, 8)), "TIFF"),
        "BMP of a palette": lambda: encode(small.quantize(16), "BMP"),
        "large": lambda: encode(patches().resize((1600, 1200)), "JPEG"),
        "PDF": lambda: PDF,
        "SVG": lambda: SVG,
        "video": lambda: VIDEO,
        "nothing": lambda: b"",
    }
    return bases

"""Photos of every type, by real encoders, whole and damaged; and files that are no photos."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

Chunk = tuple[bytes, bytes]


def picture(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    """An image with large shapes and fine detail, so that every encoder has something to do."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(coarse).resize((width, height)), np.int16)
    noise = rng.integers(-20, 21, (height, width, 3))
    return Image.fromarray(np.clip(image + noise, 0, 255).astype(np.uint8))


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as Pillow's encoder writes it."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_file(
    width: int,
    height: int,
    rows: bytes = b"",
    *,
    depth: int = 8,
    color: int = 2,
    before: tuple[Chunk, ...] = (),
    after: tuple[Chunk, ...] = (),
) -> bytes:
    """A PNG with any header, pixels and chunks; `color` 0 is gray, 2 RGB, 4 gray and alpha."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    pixels = (b"IDAT", zlib.compress(rows))
    chunks = ((b"IHDR", header), *before, pixels, *after, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def text_bombs(size: int = 150_000_000) -> dict[str, Chunk]:
    """PNG chunks of a few hundred kilobytes that unpack to `size` bytes."""
    packed = zlib.compress(bytes(size), 9)
    return {
        "zTXt": (b"zTXt", b"k\0\0" + packed),
        "iTXt": (b"iTXt", b"k\0\1\0\0\0" + packed),
        "iCCP": (b"iCCP", b"k\0\0" + packed),
    }


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
VIDEO = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(64)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(64)

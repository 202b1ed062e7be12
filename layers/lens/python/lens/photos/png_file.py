"""A PNG file: its picture, and what its other chunks say of its colors and its turn."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from lens.photos.code_points import CodePoints
from lens.photos.color_profiles import SRGB, Primaries, profile_of

_NEARLY = 0.01
_TOLD = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"tRNS"}
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Png:
    """A PNG of nothing but the still picture, and what was told beside it."""

    picture: bytes
    chunks: dict[bytes, bytes] = field(repr=False)

    @property
    def exif(self) -> bytes | None:
        """The EXIF tags."""
        return self.chunks.get(b"eXIf")

    @property
    def key(self) -> tuple[int, ...] | None:
        """The color that is see-through, of 16 bits a channel; None where there is none."""
        color = self.chunks.get(b"tRNS", b"")
        return struct.unpack(">3H", color) if len(color) == 6 else None

    def code_points(self) -> CodePoints | None:
        """Its colors' code points; they come before a profile (PNG, third edition)."""
        points = self.chunks.get(b"cICP", b"")
        return CodePoints(points[0], points[1]) if len(points) == 4 else None

    def profile(self, most_bytes: int) -> bytes | None:
        """Its colors' profile, of at most `most_bytes`, or one made of its gamma; None for sRGB and
        for what cannot be understood."""
        chunks = self.chunks
        if b"iCCP" in chunks and (profile := _unpacked(chunks[b"iCCP"], most_bytes)):
            return profile
        if b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
            return None
        try:
            gamma = 100_000 / int.from_bytes(chunks[b"gAMA"], "big")
            primaries = _primaries(chunks.get(b"cHRM", b""))
            if primaries == SRGB and abs(gamma - 2.2) < _NEARLY:
                return None  # how sRGB was told before there was a chunk for it
            return profile_of(primaries, gamma)
        except (ValueError, ZeroDivisionError):
            return None


def read_png(data: bytes) -> Png:
    """Take a file apart. Nothing is unpacked or checked but the checksums of what is optional,
    which is left out where they fail, as browsers do."""
    kept: list[bytes | memoryview] = [SIGNATURE]
    chunks: dict[bytes, bytes] = {}
    position = len(SIGNATURE)
    whole, seen = memoryview(data), False
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        seen |= kind == b"IDAT"
        if not kind[0] & 0x20:  # a capital: the picture cannot be decoded without it
            kept.append(whole[position:end])
        elif kind in _TOLD and (kind == b"eXIf" or not seen) and kind not in chunks:
            body = data[position + 8 : end - 4]
            if data[end - 4 : end] == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))):
                chunks[kind] = body
                if kind == b"tRNS":
                    kept.append(whole[position:end])
        position = end
        if kind == b"IEND":
            break
    return Png(b"".join(kept), chunks)


def _unpacked(chunk: bytes, most_bytes: int) -> bytes | None:
    _, _, packed = chunk.partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], most_bytes + 1)
    except zlib.error:
        return None
    return profile if len(profile) <= most_bytes else None


def _primaries(chunk: bytes) -> Primaries:
    if len(chunk) != 32:
        return SRGB
    x_y = [value / 100_000 for value in struct.unpack(">8I", chunk)]
    white, red, green, blue = zip(x_y[::2], x_y[1::2], strict=True)
    return Primaries(red, green, blue, white)

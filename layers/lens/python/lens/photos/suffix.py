"""The suffix: which kind of photo some bytes are, told by how they begin."""

from __future__ import annotations

_AVIF = (b"avif", b"avis")
_HEIC = (b"mif1", b"msf1", b"hei", b"hev")


def suffix_of(data: bytes) -> str | None:
    """A photo's usual suffix; None for what is no photo of an accepted kind."""
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:8] != b"ftyp":
        return None
    brand = data[8:12]
    return ".avif" if brand.startswith(_AVIF) else ".heic" if brand.startswith(_HEIC) else None

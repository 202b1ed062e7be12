"""The suffix: which kind of photo some bytes are, told by how they begin."""

from __future__ import annotations

from lens.photos import heif_file

_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),  # BigTIFF
    (0, b"MM\0+", "TIFF"),
    (0, b"%PDF", "PDF"),
)
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "AVIF": ".avif", "HEIC": ".heic"}


def kind_of(data: bytes) -> str | None:
    """The type that a file's first bytes promise, accepted or not; None for no known one. Pillow's
    own guess would let dozens of parsers at unknown bytes only to word a refusal."""
    for start, signature, kind in _SIGNATURES:
        if data.startswith(signature, start):
            return kind
    if heif_file.is_heif(data):
        return heif_file.codec_of(data) or "video"
    return "SVG" if b"<svg" in data[:1024] else None


def suffix_of(data: bytes) -> str | None:
    """A photo's usual suffix; None for what is no photo of an accepted kind."""
    return _SUFFIXES.get(kind_of(data) or "")

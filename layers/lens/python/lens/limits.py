"""The limits: the largest photo that is accepted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The largest photo accepted."""

    photo_bytes: int = 20 * 2**20
    photo_pixels: int = 64_000_000

"""Code points: the numbers by which AVIF, HEIC and PNG name their colors (ITU-T H.273)."""

from __future__ import annotations

from typing import NamedTuple


class CodePoints(NamedTuple):
    """The primaries and the transfer."""

    primaries: int
    transfer: int

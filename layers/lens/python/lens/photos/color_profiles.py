"""Color profiles: ICC profiles for colors that a file tells by its primaries and its curve."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Point = tuple[float, float]

D65: Point = (0.3127, 0.3290)
# Profiles are written for this white.
_D50 = np.array([0.9642, 1.0, 0.8249])
# http://www.brucelindbloom.com/Eqn_ChromAdapt.html
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
# IEC 61966-2-1, as ICC's parametric curve of type 3.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@dataclass(frozen=True)
class Primaries:
    """The (x, y) of red, green, blue and white."""

    red: Point
    green: Point
    blue: Point
    white: Point = D65

    def to_xyz(self) -> Floats:
        """(3, 3): linear RGB to XYZ, whose white is its own; ValueError where they span nothing."""
        columns = np.array([_xyz(*point) for point in (self.red, self.green, self.blue)]).T
        try:
            scaled: Floats = columns * np.linalg.solve(columns, _xyz(*self.white))
        except np.linalg.LinAlgError as error:
            raise ValueError(f"{self} span no colors") from error
        return scaled


SRGB = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))


@lru_cache(maxsize=8)
def profile_of(primaries: Primaries, gamma: float | None) -> bytes:
    """The profile of RGB with these primaries, and sRGB's curve or a power of `gamma`. ValueError
    where there is none."""
    if gamma is not None and not 0.1 <= gamma <= 10:
        raise ValueError(f"a gamma of {gamma}")
    white = _BRADFORD @ _xyz(*primaries.white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / white) @ _BRADFORD
    columns = (adapted @ primaries.to_xyz()).T
    curve = _SRGB_CURVE if gamma is None else (gamma,)
    tags = [(b"wtpt", b"XYZ " + bytes(4) + _fixed(*_D50))]
    for name, column in zip((b"r", b"g", b"b"), columns, strict=True):
        tags.append((name + b"XYZ", b"XYZ " + bytes(4) + _fixed(*column)))
        kind = struct.pack(">HH", 0 if gamma else 3, 0)
        tags.append((name + b"TRC", b"para" + bytes(4) + kind + _fixed(*curve)))
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags:
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(body), len(value))
        body += value
    # ICC.1:2010, 7.2: size, maker, version 4.3, kind, colors, connection, date, signature.
    size = 128 + len(table) + len(body)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", size, b"", 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"", b"acsp"
    )
    return head.ljust(68, b"\0") + _fixed(*_D50).ljust(60, b"\0") + table + body


def _xyz(x: float, y: float) -> Floats:
    if y <= 0:
        raise ValueError(f"({x}, {y}) is no color")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)

"""ICC profiles as cameras and printers embed them, and photos in their colors; no dependency but
NumPy and Pillow, and no profile under somebody's license."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Space:
    """An RGB space: its primaries' (x, y), white D65, and one gamma (approximately sRGB's)."""

    name: str
    primaries: tuple[tuple[float, float], ...]
    gamma: float

    def to_xyz(self) -> Floats:
        """(3, 3): linear RGB to XYZ, adapted to the white that profiles are written for, D50."""
        columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in self.primaries]).T
        scaled: Floats = columns * np.linalg.solve(columns, _D65)
        adapted: Floats = (
            np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / (_BRADFORD @ _D65)) @ _BRADFORD
        )
        return adapted @ scaled


_D65 = np.array([0.95047, 1.0, 1.08883])
_D50 = np.array([0.9642, 1.0, 0.8249])
# http://www.brucelindbloom.com/Eqn_ChromAdapt.html
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
SRGB = Space("sRGB", ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), 2.2)
DISPLAY_P3 = Space("Display P3", ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), 2.2)
ADOBE_RGB = Space("Adobe RGB (1998)", ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 2.19921875)
# How much darker a printer's dots are than asked for.
_DOT_GAIN = 1.6


def matrix_profile(space: Space) -> bytes:
    """An ICC version 2 profile of an RGB space."""
    tags = {
        tag: b"XYZ \0\0\0\0" + b"".join(map(_fixed, column))
        for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), space.to_xyz().T, strict=True)
    }
    tags |= {tag: _gamma(space.gamma) for tag in (b"rTRC", b"gTRC", b"bTRC")}
    return _profile(b"RGB ", b"XYZ ", space.name, tags)


def gray_profile(gamma: float) -> bytes:
    """An ICC version 2 profile of gray."""
    return _profile(b"GRAY", b"XYZ ", f"Gray {gamma}", {b"kTRC": _gamma(gamma)})


def print_profile() -> bytes:
    """An ICC version 2 profile of a printer whose dots gain: a table from CMYK to Lab."""
    grid, levels = 9, np.linspace(0, 1, 256)
    ink = np.stack(np.meshgrid(*[np.linspace(0, 1, grid)] * 4, indexing="ij"), -1)
    rgb = (1 - ink[..., :3]) * (1 - ink[..., 3:])
    xyz = (rgb**SRGB.gamma) @ SRGB.to_xyz().T
    t = np.where(
        xyz / _D50 > 216 / 24389, np.cbrt(xyz / _D50), (xyz / _D50 * 24389 / 27 + 16) / 116
    )
    lab = np.stack(
        [
            (116 * t[..., 1] - 16) * 652.8,
            (500 * (t[..., 0] - t[..., 1]) + 128) * 256,
            (200 * (t[..., 1] - t[..., 2]) + 128) * 256,
        ],
        -1,
    )
    gained = np.tile(1 - (1 - levels) ** _DOT_GAIN, 4) * 65_535
    table = b"mft2\0\0\0\0" + bytes([4, 3, grid, 0])
    table += b"".join(map(_fixed, np.eye(3).ravel())) + struct.pack(">HH", len(levels), 2)
    for values in (gained, lab.ravel(), np.tile([0, 65_535], 3)):
        table += np.clip(np.round(values), 0, 65_535).astype(">u2").tobytes()
    return _profile(b"CMYK", b"Lab ", "Print", {b"A2B0": table}, kind=b"prtr")


def from_srgb(image: Image.Image, space: Space) -> Image.Image:
    """The same colors, by the numbers that say them in another RGB space."""
    linear = (np.asarray(image.convert("RGB")) / 255) ** SRGB.gamma
    there = linear @ SRGB.to_xyz().T @ np.linalg.inv(space.to_xyz()).T
    return _image(np.clip(there, 0, 1) ** (1 / space.gamma))


def for_print(image: Image.Image) -> Image.Image:
    """The same colors as ink for the printer of `print_profile`."""
    rgb = np.asarray(image.convert("RGB")) / 255
    black = np.minimum(1 - rgb.max(-1, keepdims=True), 0.9) / 2
    cyan_magenta_yellow = np.clip(1 - rgb / (1 - black), 0, 1)
    ink = np.concatenate([cyan_magenta_yellow, black], -1)
    return _image(1 - (1 - ink) ** (1 / _DOT_GAIN), "CMYK")


def _image(values: Floats, mode: str = "RGB") -> Image.Image:
    height, width = values.shape[:2]
    return Image.frombytes(mode, (width, height), np.round(values * 255).astype(np.uint8).tobytes())


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65_536))


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _profile(
    space: bytes, connection: bytes, name: str, tags: dict[bytes, bytes], kind: bytes = b"mntr"
) -> bytes:
    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    white = b"XYZ \0\0\0\0" + b"".join(map(_fixed, _D50))
    everything = {b"desc": described, b"wtpt": white, b"cprt": b"text\0\0\0\0None\0", **tags}
    directory, body, start = b"", b"", 132 + 12 * len(everything)
    for tag, data in everything.items():
        directory += struct.pack(">4sII", tag, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, kind, space, connection
    )
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += b"".join(map(_fixed, _D50))
    return head.ljust(128, b"\0") + struct.pack(">I", len(everything)) + directory + body

"""Color difference: how unlike two colors look, as CIEDE2000."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# sRGB (IEC 61966-2-1) to XYZ, and its white, D65.
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)
_25_7 = 25.0**7


def lab_of(pixels: NDArray[np.uint8]) -> Floats:
    """(…, 3) uint8 sRGB to (…, 3) float64 CIELAB: L from 0 to 100, a and b around 0."""
    levels = np.arange(256) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    ratio = linear[pixels] @ _TO_XYZ.T / _WHITE
    epsilon, kappa = 216 / 24389, 24389 / 27
    f = np.where(ratio > epsilon, np.cbrt(ratio), (kappa * ratio + 16) / 116)
    lightness = 116 * f[..., 1] - 16
    return np.stack(
        [lightness, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )


def ciede2000(one: Floats, other: Floats) -> Floats:
    """The difference of CIELAB colors, (…, 3) each, broadcast; about 1 is just noticeable.

    Sharma, Wu and Dalal, The CIEDE2000 Color-Difference Formula, 2005, whose names are kept;
    k_L = k_C = k_H = 1.
    """
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = (1 - np.sqrt(c7 / (c7 + _25_7))) / 2
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    colored = c1 * c2 > 0

    turn = (h2 - h1 + 180) % 360 - 180
    dl, dc = l2 - l1, c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(np.where(colored, turn, 0.0) / 2))

    lightness, c = (l1 + l2) / 2, (c1 + c2) / 2
    far = np.abs(h1 - h2) > 180
    hue = (h1 + h2 + np.where(far, np.where(h1 + h2 < 360, 360, -360), 0)) / 2
    hue = np.where(colored, hue, h1 + h2)
    t = (
        1
        - 0.17 * _cos(hue - 30)
        + 0.24 * _cos(2 * hue)
        + 0.32 * _cos(3 * hue + 6)
        - 0.20 * _cos(4 * hue - 63)
    )
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    r_t = (
        -2
        * np.sqrt(c**7 / (c**7 + _25_7))
        * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    )
    dl, dc, dh = dl / s_l, dc / s_c, dh / s_h
    difference: Floats = np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + r_t * dc * dh, 0.0))
    return difference


def _cos(degrees: Floats) -> Floats:
    return np.cos(np.radians(degrees))

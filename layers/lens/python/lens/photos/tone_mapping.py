"""Tone mapping: photos of high dynamic range (PQ, HLG) as a screen without it shows them.

The rule is SMPTE ST 2094-50's for reference white, which Chromium has: 203 cd/m² become half of the
screen's light, 1,000 cd/m² and more all of it, with a soft shoulder between. All three channels
get one gain, so that hues stay.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

from lens.photos.color_profiles import SRGB, Floats, Primaries

PQ, HLG = 16, 18  # ITU-T H.273's transfer characteristics

_WHITE = 203.0  # cd/m² (ITU-R BT.2408)
_PEAK = 1000.0 / _WHITE  # beyond it nothing is told apart
_STEPS = 65  # the most that Pillow's table has; between them it is linear
# What of a color the gain is told by: red, green, blue, and the brightest of them.
_MIX = (0.15, 0.3, 0.05, 0.5)
_LUMA = (0.2627, 0.678, 0.0593)  # ITU-R BT.2100


class ToneMap:
    """From the numbers of one transfer and these primaries to sRGB."""

    input_mode = "RGB"

    def __init__(self, transfer: int, primaries: Primaries) -> None:
        self._table = _table(transfer, primaries)

    def apply(self, image: Image.Image) -> Image.Image:
        """An RGB image in sRGB."""
        return image.filter(self._table)


@lru_cache(maxsize=4)
def _table(transfer: int, primaries: Primaries) -> ImageFilter.Color3DLUT:
    levels = np.linspace(0, 1, _STEPS)
    # Pillow's table has red as its fastest axis.
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    # Cut at the peak, or a gray between two steps would be told from colors beyond it.
    light = np.minimum(_light(np.stack([red, green, blue], -1).reshape(-1, 3), transfer), _PEAK)
    measure = light @ np.array(_MIX[:3]) + _MIX[3] * light.max(-1)
    gain = _shoulder(measure) / np.maximum(measure, 1e-9)
    to_srgb = np.linalg.inv(SRGB.to_xyz()) @ primaries.to_xyz()
    linear = np.clip(light * gain[:, None] @ to_srgb.T, 0, 1)
    levels = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return ImageFilter.Color3DLUT(_STEPS, levels.astype(np.float32).ravel())


def _light(values: Floats, transfer: int) -> Floats:
    """(n, 3) linear, 1 where reference white is."""
    if transfer == PQ:  # SMPTE ST 2084
        root = values ** (32 / 2523)
        ratio = np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)
        light: Floats = 10_000 / _WHITE * ratio ** (16_384 / 2610)
        return light
    # ITU-R BT.2100, for a screen of 1,000 cd/m².
    scene = np.where(
        values <= 0.5, values**2 / 3, (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12
    )
    luma = np.maximum(scene @ np.array(_LUMA), 1e-9)
    shown: Floats = _PEAK * scene * luma[:, None] ** 0.2
    return shown


def _shoulder(light: Floats) -> Floats:
    """Half, up to reference white; from there a parabola through time to 1 at the peak."""
    middle = (0.35 + 0.65 * 2, 0.35 * 0.5 + 0.65)  # between (1, 0.5) and (_PEAK, 1)
    bent = np.clip(light, 1, _PEAK)
    a, b = 1 - 2 * middle[0] + _PEAK, 2 * (middle[0] - 1)
    time = (np.sqrt(b * b - 4 * a * (1 - bent)) - b) / (2 * a)
    shoulder = 0.5 + time * (2 * (middle[1] - 0.5) + time * (1.5 - 2 * middle[1]))
    return np.where(light <= 1, light / 2, shoulder)

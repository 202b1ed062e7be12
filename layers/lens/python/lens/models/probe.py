"""The probe: a picture and the vectors that a model's maker got of it, by which a newer runtime
that embeds otherwise is noticed before it is searched with.

A gallery's vectors are as old as its photos. Another version of ONNX Runtime or Pillow may round
otherwise, which is nothing, or resize, decode or fuse otherwise, and then queries miss their photos
without an error anywhere. The picture travels as a JPEG, so decoding is part of what is compared.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.errors import DriftError
from lens.models.manifest import Probe

# The least similarity of two vectors of the probe: versions that only round otherwise stay far
# above it, another way to resize is below (docs/experiments.md).
LEAST = 0.999
_DIGITS = 6
_SIDES = (96, 128)

Embed = Callable[[Image.Image], NDArray[np.float32]]


def picture_of(probe: Probe) -> Image.Image:
    """Its picture, decoded."""
    return Image.open(BytesIO(base64.b64decode(probe.picture))).convert("RGB")


def make_probe(embeds: Mapping[str, Embed], runtime: str) -> Probe:
    """A probe of a model, given how each of its precisions embeds."""
    probe = Probe(picture=base64.b64encode(_picture()).decode(), runtime=runtime, vectors={})
    image = picture_of(probe)
    vectors = {
        precision: tuple(round(float(each), _DIGITS) for each in embed(image))
        for precision, embed in embeds.items()
    }
    return probe.model_copy(update={"vectors": vectors})


def check_probe(probe: Probe, model_id: str, precision: str, embed: Embed, runtime: str) -> None:
    """DriftError when this runtime makes another vector of the picture than the model's maker did.

    The very runtime that made it is not tried: that would cost each start as much as a search.
    """
    if probe.runtime == runtime or precision not in probe.vectors:
        return
    before = np.array(probe.vectors[precision], np.float32)
    similarity = float(before @ embed(picture_of(probe)) / np.linalg.norm(before))
    if similarity < LEAST:
        raise DriftError(model_id, runtime, probe.runtime, similarity)


def _picture() -> bytes:
    """A drawn garment with edges, smooth shades and saturated colors, so that resizing, chroma and
    rounding all show."""
    width, height = _SIDES
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    shade = 0.5 + 0.5 * np.sin(x / 9.0) * np.cos(y / 14.0)
    levels = np.stack([200 * shade + 30, 90 + 120 * (x / width), 230 - 180 * (y / height)], axis=-1)
    inside = (np.abs(x - width / 2) < width / 3) & (np.abs(y - height / 2) < height / 2.5)
    stripes = ((x + y) // 12 % 2 == 0) & inside
    levels[~inside] = 250
    levels[stripes] = 255 - levels[stripes]
    out = BytesIO()
    Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()

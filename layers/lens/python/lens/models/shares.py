"""Shares: what each place of a photo adds to its embedding, for a model that can tell it.

Such a model has a file beside its network that the network's bytes go on with: messages of protocol
buffers that follow each other are one message, here one graph with an output more. It is computed
where it is asked for; the network's own file, and so the model's id, stay as they are.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.models.beside import beside_key, read_beside
from lens.models.regions import Box
from lens.storage import Storage

log = logging.getLogger(__name__)

FILE = "shares.onnx"
OUTPUT, ASKED = "shares", "shares asked"  # of the graph; the second is an input, false unless fed
STRONGEST = 0.2  # of the places of a photo

Map = NDArray[np.float32]  # (H, W), of the places in a box


@dataclass(frozen=True)
class Shares:
    """What places add, (H, W, D) float32: their sum is the embedding, less a constant vector.

    `box` is what the places cover, as fractions of the upright photo; the outermost may reach
    beyond it.
    """

    places: NDArray[np.float32]
    box: Box

    def toward(self, vector: NDArray[np.float32]) -> Map:
        """What each place adds to the similarity with a (D,) unit vector."""
        found: Map = self.places @ vector
        return found


def shares_in(
    square: NDArray[np.float32], part: tuple[int, int, int, int], photo_size: tuple[int, int]
) -> Shares:
    """The shares of a part of a photo, of those of the padded square (H, H, D) that the network
    saw; the part is left, top, right and bottom in pixels."""
    left, top, right, bottom = part
    count, longest = len(square), max(right - left, bottom - top)
    edges, kept = [], []
    for first, last, whole in ((left, right, photo_size[0]), (top, bottom, photo_size[1])):
        # Of the places on each side, so many see padding alone.
        empty = int(count * (1 - (last - first) / longest) / 2)
        reach = longest * (0.5 - empty / count)
        middle = (first + last) / 2
        edges.append(((middle - reach) / whole, (middle + reach) / whole))
        kept.append(slice(empty, count - empty))
    (x0, x1), (y0, y1) = edges
    return Shares(square[kept[1], kept[0]].copy(), (x0, y0, x1, y1))


def strongest(found: Map) -> NDArray[np.bool_]:
    """The strongest fifth of a map's places, at least one."""
    count = max(1, round(STRONGEST * found.size))
    chosen = np.zeros(found.size, bool)
    chosen[np.argsort(-found, axis=None, kind="stable")[:count]] = True
    return chosen.reshape(found.shape)


def read_continuation(storage: Storage, model_id: str) -> bytes | None:
    """What a model's fp32 network goes on with; None for a model that cannot tell shares. Raises
    DamagedError."""
    return read_beside(storage, model_id, FILE)


def shares_key(model_id: str) -> str:
    """Where it lies in the artifacts."""
    return beside_key(model_id, FILE)

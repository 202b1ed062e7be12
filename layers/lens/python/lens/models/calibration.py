"""Calibration: how sure a model is of what it says, measured when it was trained.

It lies beside the model, with two arrays. Probes are vectors of shoppers' photos of garments that
no catalog has: how similar these are to a gallery's photos tells what a similarity is worth in that
gallery. And a direction in which the vectors of garments lie, and those of other things do not.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from io import BytesIO
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, DamagedError, NotFoundError
from lens.models.beside import beside_key, read_beside, replace_beside, write_beside_once
from lens.models.regions import LEAST_CONFIDENCE
from lens.models.shares import FILE as SHARES
from lens.storage import Storage
from lens.storage.documents import Document, parse_document

log = logging.getLogger(__name__)

T = TypeVar("T")

_DOCUMENT, _PROBES, _GARMENT = "calibration.json", "probes.npy", "garment.npy"
# What lies beside a model and goes where it goes, in the order in which it is written.
FILES = (SHARES, _PROBES, _GARMENT, _DOCUMENT)
_LEAST, _MOST = LEAST_CONFIDENCE, 0.999  # a confidence beyond these says no more than they do


class Calibration(Document):
    """What a model's own figures are worth.

    garment_from: the confidence of a photo's surest region below which 19 of 20 photos without a
    garment stay, where the photo's vector speaks neither for a garment nor against. The
    similarities are the prior, for a gallery that has no thresholds of its own.
    loss: how much less similar a product's photo is once a shopper took it, in the median.
    """

    garment_from: float
    same: float
    very_similar: float
    similar_style: float
    loss: float


def read_calibration(storage: Storage, model_id: str) -> Calibration | None:
    """A model's calibration; None for a model without one. Raises DamagedError."""
    data = read_beside(storage, model_id, _DOCUMENT)
    if data is None:
        return None
    return parse_document(beside_key(model_id, _DOCUMENT), data, Calibration)


def read_probes(storage: Storage, model_id: str, embedding_dim: int) -> NDArray[np.float32] | None:
    """A model's probes, (P, D) float32; None for a model without. Raises DamagedError."""
    return _read(storage, model_id, _PROBES, (None, embedding_dim))


def read_garment_direction(
    storage: Storage, model_id: str, embedding_dim: int
) -> NDArray[np.float32] | None:
    """A model's garment direction, (D + 1,) float32, as `leaning_of` takes it; None for a model
    without. Raises DamagedError."""
    return _read(storage, model_id, _GARMENT, (embedding_dim + 1,))


def unless_damaged(
    read: Callable[[], T | None], damaged: list[ArtifactError] | None = None
) -> T | None:
    """What `read` finds of the FILES; None where it is damaged, which costs only itself: the match
    is then unknown, or a gallery has no thresholds of its own, or the regions alone tell a garment.
    The log, and `damaged`, say which."""
    try:
        return read()
    except ArtifactError as error:
        log.warning("gone on without: %s", error)
        if damaged is not None:
            damaged.append(error)
        return None


def leaning_of(vector: NDArray[np.float32], direction: NDArray[np.float32]) -> float:
    """How much a (D,) vector speaks for a garment, in log odds; direction: (D + 1,), the last an
    offset."""
    return float(vector @ direction[:-1] + direction[-1])


def log_odds(confidence: float) -> float:
    """Those of a region's confidence, 0 to 1; of photos without any region, those of the least."""
    sure = min(max(confidence, _LEAST), _MOST)
    return math.log(sure / (1 - sure))


def _read(
    storage: Storage, model_id: str, name: str, shape: tuple[int | None, ...]
) -> NDArray[np.float32] | None:
    """None in `shape` stands for any length."""
    data = read_beside(storage, model_id, name)
    if data is None:
        return None
    try:
        array: NDArray[np.float32] = np.load(BytesIO(data), allow_pickle=False)
        fits = len(shape) == array.ndim and all(
            wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{array.dtype} {array.shape}")
    except Exception as error:  # damaged bytes end NumPy in many ways
        what = " ".join(str(error).split()) or type(error).__name__
        raise DamagedError(beside_key(model_id, name), what) from error
    return array


def write_calibration(
    storage: Storage,
    model_id: str,
    calibration: Calibration,
    probes: NDArray[np.float32],
    direction: NDArray[np.float32] | None = None,
) -> None:
    """Write all of it once; what is there already stays."""
    for name, array in ((_PROBES, probes), (_GARMENT, direction)):
        if array is not None:
            out = BytesIO()
            np.save(out, array.astype(np.float32), allow_pickle=False)
            write_beside_once(storage, model_id, name, out.getvalue())
    text = calibration.model_dump_json(indent=1).encode() + b"\n"
    write_beside_once(storage, model_id, _DOCUMENT, text)


def copy_calibration(source: Storage, target: Storage, model_id: str) -> None:
    """Copy what lies beside a model to other artifacts. A release may calibrate the same model
    anew, or tell its shares: what another release wrote is replaced."""
    for name in FILES:
        try:
            data = source.read(beside_key(model_id, name))[0]
        except NotFoundError:
            continue
        replace_beside(target, model_id, name, data)

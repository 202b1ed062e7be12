"""Calibration: how sure a model is of what it says, measured when it was trained.

It lies beside the model, with two arrays. Probes are vectors of shoppers' photos of garments that
no catalog has: how similar these are to a gallery's photos tells what a similarity is worth in that
gallery. And a direction in which the vectors of garments lie, and those of other things do not.
"""

from __future__ import annotations

import logging
import math
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, NotFoundError
from lens.models.manifest import PREFIX
from lens.models.regions import LEAST_CONFIDENCE
from lens.models.shares import FILE as SHARES
from lens.storage import Storage, write_once
from lens.storage.documents import Document, read_document

log = logging.getLogger(__name__)

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
    """A model's calibration; None for a model without one, or with one that is damaged: only the
    match is then unknown, and the log says why."""
    try:
        return read_document(storage, calibration_key(model_id, _DOCUMENT), Calibration)[0]
    except NotFoundError:
        return None
    except ArtifactError as error:
        log.warning("no search is told whether it matches: %s", error)
        return None


def read_probes(storage: Storage, model_id: str, embedding_dim: int) -> NDArray[np.float32] | None:
    """A model's probes, (P, D) float32; None for a model without, or with damaged ones: a gallery
    then has no thresholds of its own, and the log says why."""
    probes = _read(storage, model_id, _PROBES, 2)
    if probes is not None and probes.shape[1] != embedding_dim:
        log.warning("the probes of model %s are not used: float32 %s", model_id, probes.shape)
        return None
    return probes


def read_garment_direction(
    storage: Storage, model_id: str, embedding_dim: int
) -> NDArray[np.float32] | None:
    """A model's garment direction, (D + 1,) float32, as `leaning_of` takes it; None for a model
    without, or with a damaged one: the regions alone then tell a garment, and the log says why."""
    direction = _read(storage, model_id, _GARMENT, 1)
    if direction is not None and direction.shape != (embedding_dim + 1,):
        log.warning("%s of model %s is not used: %s", _GARMENT, model_id, direction.shape)
        return None
    return direction


def leaning_of(vector: NDArray[np.float32], direction: NDArray[np.float32]) -> float:
    """How much a (D,) vector speaks for a garment, in log odds; direction: (D + 1,), the last an
    offset."""
    return float(vector @ direction[:-1] + direction[-1])


def log_odds(confidence: float) -> float:
    """Those of a region's confidence, 0 to 1; of photos without any region, those of the least."""
    sure = min(max(confidence, _LEAST), _MOST)
    return math.log(sure / (1 - sure))


def _read(
    storage: Storage, model_id: str, name: str, dimensions: int
) -> NDArray[np.float32] | None:
    try:
        data = storage.read(calibration_key(model_id, name))[0]
    except NotFoundError:
        return None
    try:
        array: NDArray[np.float32] = np.load(BytesIO(data), allow_pickle=False)
        if array.ndim != dimensions or array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{array.dtype} {array.shape}")
    except (ValueError, EOFError) as error:
        log.warning("%s of model %s is not used: %s", name, model_id, error)
        return None
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
            write_once(storage, calibration_key(model_id, name), out.getvalue())
    text = calibration.model_dump_json(indent=1).encode() + b"\n"
    write_once(storage, calibration_key(model_id, _DOCUMENT), text, content_type="application/json")


def copy_calibration(source: Storage, target: Storage, model_id: str) -> None:
    """Copy what lies beside a model to other artifacts, as `replace_calibration`."""
    for name in FILES:
        try:
            data = source.read(calibration_key(model_id, name))[0]
        except NotFoundError:
            continue
        replace_calibration(target, model_id, name, data)


def replace_calibration(storage: Storage, model_id: str, name: str, data: bytes) -> None:
    """Write one of a model's FILES, unless it is there. A release may calibrate the same model
    anew, or tell its shares: what another release wrote is replaced."""
    key = calibration_key(model_id, name)
    try:
        there = storage.read(key)[0]
    except NotFoundError:
        there = None
    if there != data:
        storage.write(key, data)


def calibration_key(model_id: str, name: str) -> str:
    """Where one of a model's FILES lies in the artifacts."""
    return f"{PREFIX}{model_id}/{name}"

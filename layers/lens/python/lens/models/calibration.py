"""Calibration: how sure a model is of what it says, measured when it was trained.

It lies beside the model, with probes: vectors of shoppers' photos of garments that no catalog has.
How similar these are to a gallery's photos tells what a similarity is worth in that gallery.
"""

from __future__ import annotations

import logging
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, NotFoundError
from lens.models.manifest import PREFIX
from lens.storage import Storage, write_once
from lens.storage.documents import Document, read_document

log = logging.getLogger(__name__)

_DOCUMENT, _PROBES = "calibration.json", "probes.npy"
FILES = (_PROBES, _DOCUMENT)  # in the order in which they are written


class Calibration(Document):
    """What a model's own figures are worth.

    garment_from: the confidence of a photo's surest region below which 19 of 20 photos without a
    garment stay. The similarities are the prior, for a gallery that has no thresholds of its own.
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
    try:
        data = storage.read(calibration_key(model_id, _PROBES))[0]
    except NotFoundError:
        return None
    try:
        probes: NDArray[np.float32] = np.load(BytesIO(data), allow_pickle=False)
        if probes.ndim != 2 or probes.shape[1] != embedding_dim or probes.dtype != np.float32:
            raise ValueError(f"{probes.dtype} {probes.shape}")
    except (ValueError, EOFError) as error:
        log.warning("the probes of model %s are not used: %s", model_id, error)
        return None
    return probes


def write_calibration(
    storage: Storage, model_id: str, calibration: Calibration, probes: NDArray[np.float32]
) -> None:
    """Write both once; what is there already stays."""
    out = BytesIO()
    np.save(out, probes.astype(np.float32), allow_pickle=False)
    write_once(storage, calibration_key(model_id, _PROBES), out.getvalue())
    text = calibration.model_dump_json(indent=1).encode() + b"\n"
    write_once(storage, calibration_key(model_id, _DOCUMENT), text, content_type="application/json")


def copy_calibration(source: Storage, target: Storage, model_id: str) -> None:
    """Copy a model's calibration, if it has one, to other artifacts."""
    for name in FILES:
        try:
            data = source.read(calibration_key(model_id, name))[0]
        except NotFoundError:
            return
        write_once(target, calibration_key(model_id, name), data)


def calibration_key(model_id: str, name: str) -> str:
    """Where one of a model's FILES lies in the artifacts."""
    return f"{PREFIX}{model_id}/{name}"

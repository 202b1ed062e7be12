"""Segments: immutable files, each with a batch of rows and the vectors of their photos."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens.errors import REPAIR, ArtifactError, DamagedError, MissingError, NotFoundError
from lens.gallery.mapped_arrays import checked_arrays_in
from lens.gallery.rows import Kind, Rows
from lens.gallery.triggers import Trigger
from lens.storage import Storage, write_once
from lens.storage.formats import check_format, written_format

PREFIX = "segments/"
_WAITING_SINCE = 2  # the format
# Beside the columns, which is all that earlier releases read of them, and write: whose segment it
# is, and a checksum of all else.
_MODEL, _ID, _SUM = "model", "id", "sha256"
_TRIGGERS, _TRIGGERED_AT = "triggers", "triggered_at"
# How far from 1 a vector's length may be. A network divides by it in single precision.
_LENGTH_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Segment:
    """Rows and the vectors of their photo rows, (P, D) float32 of unit length.

    `merged_from` names the segments that a minor compaction merged into this one. `triggers` are
    what set its looks off, each once; segments of earlier releases tell none.
    """

    rows: Rows
    vectors: NDArray[np.float32]
    merged_from: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()

    def __post_init__(self) -> None:
        photos = len(self.rows.photo_rows)
        if self.vectors.ndim != 2 or len(self.vectors) != photos:
            raise ArtifactError(f"{photos} photo rows, but vectors {self.vectors.shape}")


def segment_key(model_id: str, segment_id: str) -> str:
    """Where a segment lies in the artifacts."""
    return f"{PREFIX}{model_id}/{segment_id}.npz"


def parse_segment_key(key: str) -> tuple[str, str]:
    """(model_id, segment_id) of a segment's key; ArtifactError for any other key."""
    model_id, _, name = key.removeprefix(PREFIX).partition("/")
    if not key.startswith(PREFIX) or not name.endswith(".npz") or "/" in name:
        raise ArtifactError(f"{key} is not a segment's name")
    return model_id, name.removesuffix(".npz")


def holds_waiting(storage: Storage, now: float) -> bool:
    """Whether a segment may have waiting rows, which earlier releases cannot read."""
    return written_format(storage, now, at_once=True) >= _WAITING_SINCE


def write_segment(storage: Storage, model_id: str, segment: Segment) -> str:
    """Write a segment under a name that was never used and return its id."""
    check_vectors(segment.vectors)
    segment_id = uuid.uuid4().hex
    waits = bool(np.any(segment.rows.kind == Kind.WAITING))
    arrays = {
        "format": np.array(written_format(storage, time.time(), at_once=waits)),
        "folded": np.array([name.encode() for name in segment.merged_from], dtype="S32"),
        "vectors": segment.vectors,
        **segment.rows.columns(),
        _MODEL: np.array(model_id.encode()),
        _ID: np.array(segment_id.encode()),
        _TRIGGERS: np.array([each.id.encode() for each in segment.triggers], dtype="S64"),
        _TRIGGERED_AT: np.array([each.at for each in segment.triggers], dtype=np.float64),
    }
    arrays[_SUM] = np.array(_sum(arrays))
    out = BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    write_once(storage, segment_key(model_id, segment_id), out.getvalue())
    return segment_id


def read_segment(
    storage: Storage, model_id: str, segment_id: str, rows: int | None = None
) -> Segment:
    """Read a segment, of which whoever names it may know how many rows it has.

    MissingError when it is gone, DamagedError when it is not as it was written. Of a segment that
    an earlier release wrote, which has no checksum, the zip's own ones and what its values must
    be are checked.
    """
    key = segment_key(model_id, segment_id)
    try:
        data, _ = storage.read(key)
    except NotFoundError as error:
        raise MissingError(key) from error
    return _parse(key, data, model_id, segment_id, rows)


def _parse(key: str, data: bytes, model_id: str, segment_id: str, rows: int | None) -> Segment:
    try:
        arrays = checked_arrays_in(data)
        if _SUM in arrays:
            _check_whose(arrays, model_id, segment_id)
        check_format(key, int(arrays["format"]))
        found, vectors = Rows.read(arrays), arrays["vectors"]
        found.check()
        check_vectors(vectors)
        if len(vectors) != len(found.photo_rows):
            raise ValueError(f"{len(found.photo_rows)} photo rows, but {len(vectors)} vectors")
        if rows is not None and rows != len(found):
            raise ValueError(f"{len(found)} rows instead of {rows}")
        merged_from = tuple(name.decode() for name in arrays["folded"].tolist())
        return Segment(found, vectors, merged_from, _triggers(arrays))
    except ArtifactError:
        raise
    except Exception as error:  # damaged bytes end NumPy and zipfile in many ways
        raise DamagedError(key, " ".join(str(error).split()) or type(error).__name__) from error


def _triggers(arrays: Mapping[str, NDArray[Any]]) -> tuple[Trigger, ...]:
    if _TRIGGERS not in arrays:
        return ()
    told = zip(arrays[_TRIGGERS].tolist(), arrays[_TRIGGERED_AT].tolist(), strict=True)
    return tuple(Trigger(name.decode(), at) for name, at in told)


def check_vectors(vectors: NDArray[Any], dim: int | None = None) -> None:
    """ValueError unless these are vectors, (P, D) float32 of unit length; it reads them all. One of
    zeros passes: it is like nothing."""
    if vectors.dtype != np.float32 or vectors.ndim != 2 or dim not in (None, vectors.shape[1]):
        raise ValueError(f"vectors {vectors.dtype} {vectors.shape}")
    squares = np.einsum("ij,ij->i", vectors, vectors)
    if not np.isfinite(squares).all():
        raise ValueError("a vector that is not finite")
    if np.any((np.abs(np.sqrt(squares) - 1) > _LENGTH_TOLERANCE) & (squares > 0)):
        raise ValueError("a vector that is not of unit length")


def _check_whose(arrays: Mapping[str, NDArray[Any]], model_id: str, segment_id: str) -> None:
    """ValueError when a file is not the one that was written under this name."""
    if arrays[_SUM].item() != _sum(arrays):
        raise ValueError("it does not match its checksum")
    whose = arrays[_MODEL].item().decode(), arrays[_ID].item().decode()
    if whose != (model_id, segment_id):
        raise ValueError(f"it is segment {whose[1]} of {whose[0]}")


def _sum(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The checksum of arrays and of their names, as text."""
    digest = hashlib.sha256()
    for name in sorted(arrays.keys() - {_SUM}):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest().encode()


def concatenate(segments: Sequence[Segment]) -> Segment:
    """All rows and vectors of the segments, in order; there must be at least one. ArtifactError
    when their vectors are of several models."""
    if len(dims := {segment.vectors.shape[1] for segment in segments}) > 1:
        raise ArtifactError(f"segments have vectors of {sorted(dims)} numbers: {REPAIR}")
    return Segment(
        Rows.concatenate([segment.rows for segment in segments]),
        np.concatenate([segment.vectors for segment in segments]),
    )


def take(segment: Segment, positions: NDArray[np.intp]) -> Segment:
    """The rows at these positions with their vectors, in that order."""
    vector_of_row = np.full(len(segment.rows), -1)
    vector_of_row[segment.rows.photo_rows] = np.arange(len(segment.vectors))
    vectors = vector_of_row[positions]
    return Segment(segment.rows.take(positions), segment.vectors[vectors[vectors >= 0]])

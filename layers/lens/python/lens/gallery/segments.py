"""Segments: immutable files, each with a batch of rows and the vectors of their photos."""

from __future__ import annotations

import time
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError
from lens.gallery.rows import Kind, Rows
from lens.storage import Storage, write_once
from lens.storage.formats import check_format, written_format

PREFIX = "segments/"
_WAITING_SINCE = 2  # the format


@dataclass(frozen=True)
class Segment:
    """Rows and the vectors of their photo rows, (P, D) float32 of unit length.

    `merged_from` names the segments that a minor compaction merged into this one.
    """

    rows: Rows
    vectors: NDArray[np.float32]
    merged_from: tuple[str, ...] = ()

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
    segment_id = uuid.uuid4().hex
    waits = bool(np.any(segment.rows.kind == Kind.WAITING))
    out = BytesIO()
    np.savez(
        out,
        allow_pickle=False,
        format=np.array(written_format(storage, time.time(), at_once=waits)),
        folded=np.array([name.encode() for name in segment.merged_from], dtype="S32"),
        vectors=segment.vectors,
        **segment.rows.columns(),
    )
    write_once(storage, segment_key(model_id, segment_id), out.getvalue())
    return segment_id


def read_segment(storage: Storage, model_id: str, segment_id: str) -> Segment:
    """Read a segment; NotFoundError when it is gone, ArtifactError when it is damaged."""
    key = segment_key(model_id, segment_id)
    data, _ = storage.read(key)
    try:
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            check_format(key, int(arrays["format"]))
            rows = Rows(**{field.name: arrays[field.name] for field in fields(Rows)})
            merged_from = tuple(name.decode() for name in arrays["folded"])
            return Segment(rows, arrays["vectors"], merged_from)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{key} is damaged ({error}); remove it and reconcile") from error


def concatenate(segments: Sequence[Segment]) -> Segment:
    """All rows and vectors of the segments, in order; there must be at least one."""
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

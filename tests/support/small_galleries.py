"""Small galleries written by hand: rows, segments and commits without a catalog or a model."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from lens.gallery.commits import Commit, read_head
from lens.gallery.current import Current, swap_current
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment, write_segment
from lens.gallery.versions import Version
from lens.pipeline.commit import commit_segments
from lens.storage import Storage

MODEL = "tiny-a"
DIM = 8
NOW = 4_000_000_000.0
DAY = 86_400.0


def photo(
    key: str, sequencer: str, *, photo_id: str = "", at: float = NOW, category: str = ""
) -> Row:
    """A row that found a photo; its etag is its photo's id."""
    name = photo_id or f"{key} {sequencer}"
    version = Version.of_event(sequencer)
    return Row(key, version, Kind.PHOTO, at, name, name, item_id=key, category=category)


def gone(key: str, sequencer: str, *, at: float = NOW) -> Row:
    """A row that found nothing."""
    return Row(key, Version.of_event(sequencer), Kind.TOMBSTONE, at)


def vector(photo_id: str) -> NDArray[np.float32]:
    """The unit vector of a photo, by its id."""
    seed = int.from_bytes(hashlib.sha256(photo_id.encode()).digest()[:4])
    numbers = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    unit: NDArray[np.float32] = numbers / np.linalg.norm(numbers)
    return unit


def segment(*rows: Row) -> Segment:
    """A segment of these rows."""
    vectors = [vector(row.photo_id) for row in rows if row.kind == Kind.PHOTO]
    return Segment(Rows.of(rows), np.array(vectors, np.float32).reshape(len(vectors), DIM))


def make_live(storage: Storage, model_id: str = MODEL, *previous: str) -> None:
    """Name the live model."""
    swap_current(storage, lambda _: Current(live=model_id, previous=previous))


def write(storage: Storage, *rows: Row, model_id: str = MODEL) -> str:
    """Write a segment of these rows; its id."""
    return write_segment(storage, model_id, segment(*rows))


def add(storage: Storage, *rows: Row, model_id: str = MODEL, now: float = NOW) -> Commit:
    """Write and commit a segment of these rows; the commit."""
    commit_segments(storage, model_id, [write(storage, *rows, model_id=model_id)], now=now)
    return head(storage, model_id)


def head(storage: Storage, model_id: str = MODEL) -> Commit:
    """The newest commit."""
    return read_head(storage, model_id)


def gallery(storage: Storage, model_id: str = MODEL) -> Gallery:
    """The newest commit as a new searcher sees it."""
    return load_gallery(storage, head(storage, model_id))


def shown(gallery: Gallery) -> dict[str, str]:
    """Photo ids by key."""
    return {row.key: row.photo_id for row in gallery.photos()}

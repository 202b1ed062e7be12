"""Galleries of synthetic photos, written as the compactor writes them."""

from __future__ import annotations

import hashlib
import uuid

import numpy as np
from numpy.typing import NDArray

from lens.gallery.commits import Commit, advance_head
from lens.gallery.current import Current, swap_current
from lens.gallery.rows import Kind, Rows
from lens.gallery.segments import Segment
from lens.gallery.snapshots import write_snapshot
from lens.storage import Storage
from tests.benchmarks.synthetic_gallery import Photos

MODEL = "synthetic"
NOW = 2_000_000_000.0


def segment_of(photos: Photos, first: int = 0) -> Segment:
    """Photos as rows sorted by key; keys are numbered from `first`, so that none repeats."""
    keys = [
        b"%s/id_%08d/%08d.jpg" % (category, item, number)
        for number, (category, item) in enumerate(
            zip(photos.category.tolist(), photos.item.tolist(), strict=True), start=first
        )
    ]
    key = np.array(keys)
    order = np.argsort(key)
    photo_id = np.array([hashlib.sha256(each).hexdigest()[:32].encode() for each in keys])
    count = len(photos)
    rows = Rows(
        key=key[order],
        sequencer=np.full(count, b"18C0FFEE00000001", "S16"),
        n=np.zeros(count, np.int32),
        kind=np.full(count, Kind.PHOTO, np.uint8),
        looked_at=np.full(count, NOW),
        etag=photo_id[order],
        photo_id=photo_id[order],
        item_id=_item_ids(photos.item)[order],
        category=photos.category[order],
        reason=np.zeros(count, "S1"),
    )
    return Segment(rows, photos.vectors[order])


def write_gallery(storage: Storage, content: Segment) -> Commit:
    """A whole gallery in one snapshot; its head."""
    swap_current(storage, lambda old: None if old else Current(live=MODEL))
    snapshot = write_snapshot(storage, MODEL, content, parent=None, folded=(), expired_tombstones=0)
    return advance_head(
        storage,
        MODEL,
        lambda head: head.model_copy(update={"snapshot": snapshot, "id": uuid.uuid4().hex}),
        now=NOW,
    )


def _item_ids(items: NDArray[np.int64]) -> NDArray[np.bytes_]:
    return np.array([b"id_%08d" % item for item in items.tolist()])

"""Loading: reads a commit as a gallery, reusing what an earlier gallery of the model has loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from lens.errors import DamagedError
from lens.gallery.commits import Commit
from lens.gallery.gallery import Gallery
from lens.gallery.index import SCAN_LIMIT
from lens.gallery.product_tables import Shelf, load_shelf, products_key, read_look
from lens.gallery.segments import Segment, read_segment, segment_key
from lens.gallery.snapshots import (
    Snapshot,
    load_snapshot,
    read_snapshot_manifest,
    vectors_key,
)
from lens.storage import Storage


def load_gallery(
    storage: Storage, commit: Commit, previous: Gallery | None = None, *, eight_bits: bool = False
) -> Gallery:
    """Load a commit, taking from `previous`, which was loaded as this is, what it already has.

    With `eight_bits`, for searches alone, a large snapshot's vectors are read at a quarter of their
    size: see `load_snapshot`.

    Raises MissingError when the collector has removed a part: read the head again; DamagedError
    when one is damaged. Damaged products cost themselves alone: the gallery has none and says so.
    """
    if previous is not None and previous.commit.model_id != commit.model_id:
        previous = None
    snapshot, carried = _snapshot(storage, commit, previous, eight_bits=eight_bits)
    have = {**previous.carried, **previous.tail} if previous else {}
    tail = {
        ref.id: have.get(ref.id) or read_segment(storage, commit.model_id, ref.id, ref.rows)
        for ref in commit.segments
    }
    gallery = Gallery(commit, snapshot, carried, tail)
    require_dimension(gallery)
    try:
        return replace(gallery, shelf=_shelf(storage, commit, previous))
    except DamagedError as error:
        return replace(gallery, damaged=(error,))


def require_dimension(gallery: Gallery, dim: int | None = None) -> None:
    """DamagedError, naming the part, unless all vectors have the model's dimension; without one,
    that of most parts."""
    segments = [*gallery.carried.items(), *gallery.tail.items()]
    dims = {name: segment.vectors.shape[1] for name, segment in segments}
    if gallery.snapshot is not None:
        manifest = gallery.snapshot.manifest
        dim = dim or manifest.embedding_dim
        if manifest.embedding_dim != dim:
            key = vectors_key(gallery.commit.model_id, manifest.id)
            raise DamagedError(key, f"vectors of {manifest.embedding_dim} numbers, not {dim}")
    if dim is None and dims:
        dim = Counter(dims.values()).most_common(1)[0][0]
    for name, found in dims.items():
        if found != dim:
            key = segment_key(gallery.commit.model_id, name)
            raise DamagedError(key, f"vectors of {found} numbers, not {dim}")


def _shelf(storage: Storage, commit: Commit, previous: Gallery | None) -> Shelf | None:
    """The products that a commit names."""
    if commit.products is None:
        return None
    before = previous.shelf if previous else None
    if before is not None and before.manifest.id == commit.products.id:
        return before
    manifest = read_look(storage, commit.model_id, commit.products.id)
    if manifest.products != commit.products.products:
        key = products_key(commit.model_id, manifest.id)
        named = commit.products.products
        raise DamagedError(key, f"{manifest.products} products instead of {named}")
    return load_shelf(storage, manifest, before)


def _snapshot(
    storage: Storage, commit: Commit, previous: Gallery | None, *, eight_bits: bool
) -> tuple[Snapshot | None, Mapping[str, Segment]]:
    """A snapshot, and the segments that it lacks to equal the commit's own snapshot."""
    wanted = commit.snapshot
    if wanted is None:
        return None, {}
    if previous is not None:
        loaded = previous.commit.snapshot
        if loaded is not None and loaded.id == wanted.id:
            return previous.snapshot, previous.carried
        if wanted.parent == (loaded.id if loaded else None):
            carried = _carried(storage, commit.model_id, wanted.id, previous)
            if carried is not None:
                return previous.snapshot, carried
    model_id, id_ = commit.model_id, wanted.id
    return load_snapshot(storage, model_id, id_, wanted.rows, eight_bits=eight_bits), {}


def _carried(
    storage: Storage, model_id: str, snapshot_id: str, previous: Gallery
) -> Mapping[str, Segment] | None:
    """What makes the snapshot of `previous` equal to its child `snapshot_id`; None when that must
    be loaded, because it has or lacks something that `previous` cannot tell, or because too many
    rows would have to be scanned."""
    manifest = read_snapshot_manifest(storage, model_id, snapshot_id)
    folded = {segment.id for segment in manifest.folded}
    if manifest.expired_tombstones or not folded <= previous.applied:
        return None
    from_tail = {
        name: segment
        for name, segment in previous.tail.items()
        if folded & {name, *segment.merged_from}
    }
    carried = {**previous.carried, **from_tail}
    rows = sum(len(segment.rows) for segment in carried.values())
    return carried if rows <= SCAN_LIMIT else None

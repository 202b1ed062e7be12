"""Loading: reads a commit as a gallery, reusing what an earlier gallery of the model has loaded."""

from __future__ import annotations

from collections.abc import Mapping

from lens.gallery.commits import Commit
from lens.gallery.gallery import Gallery
from lens.gallery.index import SCAN_LIMIT
from lens.gallery.product_tables import Shelf, load_shelf, read_look
from lens.gallery.segments import Segment, read_segment
from lens.gallery.snapshots import Snapshot, load_snapshot, read_snapshot_manifest
from lens.storage import Storage


def load_gallery(storage: Storage, commit: Commit, previous: Gallery | None = None) -> Gallery:
    """Load a commit, taking from `previous` what it already has.

    Raises NotFoundError when the collector has removed a part: read the head again.
    """
    if previous is not None and previous.commit.model_id != commit.model_id:
        previous = None
    snapshot, carried = _snapshot(storage, commit, previous)
    have = {**previous.carried, **previous.tail} if previous else {}
    tail = {
        ref.id: have.get(ref.id) or read_segment(storage, commit.model_id, ref.id)
        for ref in commit.segments
    }
    return Gallery(commit, snapshot, carried, tail, shelf=_shelf(storage, commit, previous))


def _shelf(storage: Storage, commit: Commit, previous: Gallery | None) -> Shelf | None:
    """The products that a commit names."""
    if commit.products is None:
        return None
    before = previous.shelf if previous else None
    if before is not None and before.manifest.id == commit.products.id:
        return before
    manifest = read_look(storage, commit.model_id, commit.products.id)
    return load_shelf(storage, manifest, before)


def _snapshot(
    storage: Storage, commit: Commit, previous: Gallery | None
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
    return load_snapshot(storage, commit.model_id, wanted.id), {}


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

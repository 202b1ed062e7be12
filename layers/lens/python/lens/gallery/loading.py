"""Loading: a commit as a gallery, with what an earlier gallery of the same model already has."""

from __future__ import annotations

from collections.abc import Mapping

from lens.gallery.commits import Commit
from lens.gallery.gallery import Gallery
from lens.gallery.segments import Segment, read_segment
from lens.gallery.snapshots import Snapshot, load_snapshot, read_snapshot_manifest
from lens.storage import Storage

# A warm searcher folds nothing itself; past this many unfolded rows it loads the new snapshot.
# Every search scans them: a third of a millisecond.
KEPT_TAIL_ROWS = 16_384


def load_gallery(storage: Storage, commit: Commit, previous: Gallery | None = None) -> Gallery:
    """Load a commit, taking from `previous` what it already has.

    Raises NotFoundError when the collector has removed a part: read the head again.
    """
    if previous is not None and previous.commit.model_id != commit.model_id:
        previous = None
    snapshot, folded = _base(storage, commit, previous)
    have = {**previous.folded, **previous.tail} if previous else {}
    tail = {
        ref.id: have.get(ref.id) or read_segment(storage, commit.model_id, ref.id)
        for ref in commit.segments
    }
    return Gallery(commit, snapshot, folded, tail)


def _base(
    storage: Storage, commit: Commit, previous: Gallery | None
) -> tuple[Snapshot | None, Mapping[str, Segment]]:
    """The snapshot to stand on, and the segments that make it equal to the commit's."""
    wanted = commit.snapshot
    if wanted is None:
        return None, {}
    if previous is not None:
        stands_for = previous.commit.snapshot
        if stands_for is not None and stands_for.id == wanted.id:
            return previous.snapshot, previous.folded
        if wanted.parent == (stands_for.id if stands_for else None):
            manifest = read_snapshot_manifest(storage, commit.model_id, wanted.id)
            news = {segment.id for segment in manifest.folded}
            kept = {
                name: segment
                for name, segment in previous.tail.items()
                if news & {name, *segment.folded}
            }
            folded = {**previous.folded, **kept}
            rows = sum(len(segment.rows) for segment in folded.values())
            if (
                manifest.expired_tombstones == 0
                and news <= previous.applied
                and rows <= KEPT_TAIL_ROWS
            ):
                return previous.snapshot, folded
    return load_snapshot(storage, commit.model_id, wanted.id), {}

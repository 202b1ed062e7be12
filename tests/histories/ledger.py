"""The ledger: remembers all that was ever written, and works out naively what should be seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from io import BytesIO

import numpy as np

from lens.gallery import retention
from lens.gallery.commits import Commit
from lens.gallery.current import Current
from lens.gallery.product_tables import ProductsManifest, table_folders
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.snapshots import SnapshotManifest, SnapshotRef
from lens.storage.documents import parse_document

Names = frozenset[str]


@dataclass(frozen=True)
class WrittenSegment:
    """A segment's rows as written; `folded` names what a compactor merged into it."""

    rows: tuple[Row, ...]
    folded: tuple[str, ...]


def rank(row: Row) -> tuple[object, ...]:
    """What decides between two rows of a key."""
    return row.version, row.looked_at, row.kind, row.etag, row.photo_id


@dataclass
class Ledger:
    """Everything written to the artifacts since the beginning, never forgotten."""

    segments: dict[str, WrittenSegment] = field(default_factory=dict)
    snapshots: dict[str, SnapshotManifest] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    heads: dict[str, list[Commit]] = field(default_factory=lambda: defaultdict(list))
    looks: dict[str, ProductsManifest] = field(default_factory=dict)
    currents: list[Current] = field(default_factory=list)
    _folded: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    _silent_parents: dict[str, str] = field(default_factory=dict)

    def written(self, key: str, data: bytes) -> None:
        """Take note of a write that took effect."""
        name = key.rpartition("/")[2]
        if key.startswith("segments/"):
            self.segments[name.removesuffix(".npz")] = _parse_segment(data)
        elif key.startswith("snapshots/") and name == "manifest.json":
            manifest = parse_document(key, data, SnapshotManifest)
            self.snapshots[manifest.id] = manifest
        elif key.startswith("products/") and name == "manifest.json":
            look = parse_document(key, data, ProductsManifest)
            self.looks[look.id] = look
        elif key.startswith("commits/"):
            commit = parse_document(key, data, Commit)
            assert commit.id not in self.commits
            self.commits[commit.id] = commit
        elif key.startswith("heads/"):
            self._advance(parse_document(key, data, Commit))
        elif key == "current.json":
            self.currents.append(parse_document(key, data, Current))

    def _advance(self, head: Commit) -> None:
        """No commit is overwritten, and none forgets a segment that its parent had."""
        assert self.commits[head.id] == head, "a head names a commit that is not history"
        before = self.heads[head.model_id]
        if before and head == before[-1]:
            return  # a collector's fence
        if before:
            assert head.number == before[-1].number + 1, "a commit was overwritten"
            emptied = head.snapshot is None and not head.segments
            if head.products and head.products != before[-1].products:
                there = before[-1].products
                previous = self.looks[head.products.id].previous
                assert previous == (there.id if there else None), "a look skipped another"
            assert head.products or emptied or not before[-1].products, "products were lost"
            lost = self.segments_of(before[-1]) - self.segments_of(head)
            base = before[-1].snapshot
            if base and head.snapshot and (old := self._too_old_to_name(base, head.created_at)):
                if self.snapshots[head.snapshot.id].parent is None and old & lost:
                    self._silent_parents[head.snapshot.id] = base.id
                lost -= old
            assert emptied or not lost, f"commit {head.number} lost the segments {sorted(lost)}"
        before.append(head)

    def _too_old_to_name(self, at: SnapshotRef, now: float) -> Names:
        """Of a snapshot's segments, those that one which takes its place without naming it as its
        parent need not name: their rows stay."""
        recent = now - retention.SEGMENT
        named = (each.id for each in self.snapshots[at.id].folded if each.at >= recent)
        return self._segments_in(at.id) - self._unmerged(named)

    def segments_of(self, commit: Commit) -> Names:
        """The segments, as embedding wrote them, that a commit is made of."""
        return self._unmerged(ref.id for ref in commit.segments) | self._segments_in(
            commit.snapshot.id if commit.snapshot else None
        )

    def content(self, commit: Commit) -> dict[str, Row]:
        """The winning row of every key in a commit, tombstones included."""
        rows = list(self._rows_in(commit.snapshot.id if commit.snapshot else None))
        for name in self._unmerged(ref.id for ref in commit.segments):
            rows += self.segments[name].rows
        return winners(rows)

    def sold_from(self, look: ProductsManifest) -> str:
        """The ETag of the product file whose products a look shows; empty for none."""
        while look.trouble:
            if look.previous is None:
                return ""
            look = self.looks[look.previous]
        return look.etag

    def product_folders(self, commit: Commit) -> set[str]:
        """The folders of a commit's products."""
        return table_folders(self.looks[commit.products.id]) if commit.products else set()

    def tombstones(self, commit: Commit) -> list[Row]:
        """Every tombstone that ever went into a commit, even those long expired."""
        names = self.segments_of(commit)
        rows = (row for name in names for row in self.segments[name].rows)
        return [row for row in rows if row.kind == Kind.TOMBSTONE]

    def _unmerged(self, names: Iterable[str]) -> Names:
        result: set[str] = set()
        for name in names:
            folded = self.segments[name].folded
            result |= self._unmerged(folded) if folded else {name}
        return frozenset(result)

    def _segments_in(self, snapshot_id: str | None) -> Names:
        if snapshot_id is None:
            return frozenset()
        manifest = self.snapshots[snapshot_id]
        folded = self._unmerged(segment.id for segment in manifest.folded)
        return folded | self._segments_in(manifest.parent or self._silent_parents.get(snapshot_id))

    def _rows_in(self, snapshot_id: str | None) -> tuple[Row, ...]:
        """Winners and newest tombstones, folded one snapshot after the other."""
        if snapshot_id is None:
            return ()
        if snapshot_id not in self._folded:
            manifest = self.snapshots[snapshot_id]
            parent = manifest.parent or self._silent_parents.get(snapshot_id)
            rows = list(self._rows_in(parent))
            for name in self._unmerged(segment.id for segment in manifest.folded):
                rows += self.segments[name].rows
            tombstones = winners(row for row in rows if row.kind == Kind.TOMBSTONE)
            kept = {*winners(rows).values(), *tombstones.values()}
            if manifest.expired_tombstones:
                since = max(segment.at for segment in manifest.folded) - retention.TOMBSTONE
                kept = {r for r in kept if r.kind != Kind.TOMBSTONE or r.looked_at >= since}
            self._folded[snapshot_id] = tuple(kept)
        return self._folded[snapshot_id]


def winners(rows: Iterable[Row]) -> dict[str, Row]:
    """The highest row of every key, found one by one."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.key not in best or rank(row) > rank(best[row.key]):
            best[row.key] = row
    return best


def _parse_segment(data: bytes) -> WrittenSegment:
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        rows = Rows(**{column.name: arrays[column.name] for column in fields(Rows)})
        folded = tuple(name.decode() for name in arrays["folded"])
    return WrittenSegment(tuple(rows[i] for i in range(len(rows))), folded)

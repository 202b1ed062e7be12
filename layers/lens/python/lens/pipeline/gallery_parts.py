"""Gallery parts: which parts of a model's gallery are whole, and the best head they make."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from lens.gallery import retention
from lens.gallery.commits import (
    Commit,
    CommitName,
    ProductsRef,
    SegmentRef,
    commit_key,
)
from lens.gallery.product_tables import PREFIX as PRODUCTS
from lens.gallery.segments import segment_key
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import SnapshotManifest, SnapshotRef


@dataclass(frozen=True)
class SegmentPart:
    """A whole segment: how many rows it has, and what was merged into it."""

    rows: int
    merged_from: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What a head is to name."""

    snapshot: SnapshotRef | None
    segments: tuple[SegmentRef, ...]
    products: ProductsRef | None


@dataclass
class GalleryParts:
    """The whole parts of one model's gallery, by id; `head` is None where it is damaged or lost.

    `highest` is the highest number in a commit's name, even of one that cannot be read.
    """

    model_id: str
    head: Commit | None = None
    highest: int = 0
    commits: dict[str, Commit] = field(default_factory=dict)
    segments: dict[str, SegmentPart] = field(default_factory=dict)
    snapshots: dict[str, SnapshotManifest] = field(default_factory=dict)
    looks: set[str] = field(default_factory=set)

    def without(self, keys: Collection[str]) -> GalleryParts:
        """The same less the segments and snapshots that have files with these keys."""
        folders = {key.rpartition("/")[0] for key in keys}
        segments, snapshots = self.segments.items(), self.snapshots.items()
        return replace(
            self,
            segments={n: p for n, p in segments if segment_key(self.model_id, n) not in keys},
            snapshots={
                n: m for n, m in snapshots if f"{SNAPSHOTS}{self.model_id}/{n}" not in folders
            },
        )

    def lacks(self, commit: Commit) -> Iterator[str]:
        """The parts that a commit names and that are not whole: a segment's key, or the folder of a
        snapshot or of a look at the product file."""
        if commit.snapshot and commit.snapshot.id not in self.snapshots:
            yield f"{SNAPSHOTS}{self.model_id}/{commit.snapshot.id}"
        for ref in commit.segments:
            if ref.id not in self.segments:
                yield segment_key(self.model_id, ref.id)
        if commit.products and commit.products.id not in self.looks:
            yield f"{PRODUCTS}{self.model_id}/{commit.products.id}"

    def is_whole(self, commit: Commit) -> bool:
        """Whether all that a commit names is whole."""
        return next(self.lacks(commit), None) is None

    def history(self) -> list[Commit]:
        """The kept commits from the head back, the newest first, as a rollback reaches them."""
        found: list[Commit] = []
        commit = self.head
        while commit and len(found) < retention.COMMITS:
            found.append(commit)
            commit = self.commits.get(commit.parent.id) if commit.parent else None
        return found

    def ancestry(self) -> list[Commit]:
        """The commits that heads came to name, the newest first, as far as they can be told. Where
        the head is lost, all with the highest number may have been it; where another commit is, all
        with the highest number below."""
        found: list[Commit] = []
        at = [self.head] if self.head else self._numbered(self.highest + 1)
        while at:
            found += at
            parents = [each.parent for each in at if each.parent]
            if not parents:
                break  # it begins here
            known = [self.commits[each.id] for each in parents if each.id in self.commits]
            at = list({each.id: each for each in known}.values())
            at = at or self._numbered(max(each.number for each in parents) + 1)
        return found

    def newest_whole(self) -> CommitName | None:
        """The newest earlier commit that can be searched."""
        names = (c.name for c in self.ancestry() if c.id in self.commits and self.is_whole(c))
        return next(names, None)

    def content(self) -> Content:
        """The newest whole snapshot with all whole segments that came after it."""
        history = self.ancestry()
        base, since = self._base(history)
        taken = {each.id for each in self.snapshots[base.id].folded} if base else set()
        refs: dict[str, SegmentRef] = {}
        for commit in reversed(since):
            for ref in commit.segments:
                if ref.id in self.segments:
                    refs[ref.id] = SegmentRef(id=ref.id, rows=self.segments[ref.id].rows)
        for name in refs:
            taken |= set(self.segments[name].merged_from)
        products = history[0].products if history else None
        return Content(
            base,
            tuple(ref for ref in refs.values() if ref.id not in taken),
            products if products and products.id in self.looks else None,
        )

    def broken_commits(self) -> list[str]:
        """The keys of commits that can be searched no more: history ends where one is set aside."""
        broken = (c for c in self.ancestry() if c.id in self.commits and not self.is_whole(c))
        return [commit_key(self.model_id, commit.name) for commit in broken]

    def loose(self) -> list[str]:
        """Whole segments that no commit names and no whole part contains."""
        known = {ref.id for each in self.commits.values() for ref in each.segments}
        known |= {ref.id for ref in self.head.segments} if self.head else set()
        for part in self.segments.values():
            known |= set(part.merged_from)
        for manifest in self.snapshots.values():
            known |= {each.id for each in manifest.folded}
        return sorted(self.segments.keys() - known)

    def _base(self, history: list[Commit]) -> tuple[SnapshotRef | None, list[Commit]]:
        """The newest whole snapshot, and the commits that were made since it was."""
        since: list[Commit] = []
        decided, base = False, None
        for commit in history:
            if decided and commit.snapshot != base:
                return base, since
            if commit.snapshot is None or commit.snapshot.id in self.snapshots:
                decided, base = True, commit.snapshot
            since.append(commit)
            if commit.snapshot is None and not commit.segments:
                break  # it was emptied: what came before is of no use
        return (base if decided else self._ancestor(since)), since

    def _ancestor(self, commits: list[Commit]) -> SnapshotRef | None:
        """A whole snapshot that a damaged one was folded from, though no commit names it."""
        for commit in commits:
            parent = commit.snapshot.parent if commit.snapshot else None
            if parent in self.snapshots:
                manifest = self.snapshots[parent]
                return SnapshotRef(id=parent, rows=manifest.rows, parent=manifest.parent)
        return None

    def _numbered(self, below: int) -> list[Commit]:
        """The commits with the highest number below this one."""
        lower = [each for each in self.commits.values() if each.number < below]
        highest = max((each.number for each in lower), default=0)
        return [each for each in lower if each.number == highest]

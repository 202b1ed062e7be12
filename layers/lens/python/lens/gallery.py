"""The gallery: one whole commit in memory, answering searches until the next is loaded whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lens.commits import Commit
from lens.index import Index
from lens.rows import EMPTY_ROWS, Bytes, Kind, Mask, Positions, Row, Rows, winners
from lens.segments import Segment, concatenate, read_segment
from lens.snapshots import Snapshot, load_snapshot, read_snapshot_manifest
from lens.storage import Storage

# A warm searcher folds nothing itself; past this many unfolded rows it loads the new snapshot.
KEPT_TAIL_ROWS = 65_000
# By so much may two ways of multiplying the same float32 unit vectors differ.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Match:
    """A photo of the gallery and its inner product with the query."""

    row: Row
    similarity: float


@dataclass(frozen=True)
class Gallery:
    """The rows of one commit: a snapshot behind an index, and a tail that is scanned.

    `folded` are segments that the commit's snapshot contains but `snapshot`, an ancestor of it,
    does not: a warm searcher that has applied them need not load the newer snapshot.
    """

    commit: Commit
    snapshot: Snapshot | None
    folded: Mapping[str, Segment] = field(default_factory=dict)
    tail: Mapping[str, Segment] = field(default_factory=dict)
    hidden: frozenset[bytes] = frozenset()  # keys that a pin must not show

    def search(
        self, vector: NDArray[np.float32], top_k: int, category: str | None = None
    ) -> list[Match]:
        """The nearest photos of a (D,) unit vector, most similar first; ties in key order."""
        matches: list[Match] = []
        if self.snapshot is not None:
            allowed = self._snapshot_allowed(category)
            positions = _nearest(self.snapshot.index, vector, top_k, allowed)
            vectors = self.snapshot.index.vectors_at(positions)
            found = self.snapshot.photo_rows[positions]
            matches += _matches(self.snapshot.rows, found, vectors, vector, top_k)
        if self._recent is not None:
            rows, photo_rows = self._recent.rows, self._recent.rows.photo_rows
            allowed = self._recent_alive & _in_category(rows.category[photo_rows], category)
            candidates = np.flatnonzero(allowed)
            candidates = candidates[_may_be_best(self._recent.vectors[candidates] @ vector, top_k)]
            vectors = self._recent.vectors[candidates]
            matches += _matches(rows, photo_rows[candidates], vectors, vector, top_k)
        matches.sort(key=lambda match: (-match.similarity, match.row.key))
        return matches[:top_k]

    def photos(self) -> Iterator[Row]:
        """Every photo that can be found."""
        for rows, positions in self._alive():
            yield from (rows[position] for position in positions)

    def item(self, item_id: str) -> list[Row]:
        """The photos that show an item, in key order."""
        return sorted(self._where("item_id", item_id), key=lambda row: row.key)

    def photo(self, photo_id: str) -> Row | None:
        """A photo by its content's id."""
        return next(iter(self._where("photo_id", photo_id)), None)

    def has_photo_at(self, key: str) -> Row | None:
        """The photo that can be found under a catalog key."""
        return next(iter(self._where("key", key)), None)

    @cached_property
    def photo_count(self) -> int:
        """Photos that can be found."""
        return sum(len(positions) for _, positions in self._alive())

    @cached_property
    def categories(self) -> dict[str, int]:
        """Photos in each category, by name."""
        counts: dict[str, int] = {}
        for rows, positions in self._alive():
            for name, count in zip(
                *np.unique(rows.category[positions], return_counts=True), strict=True
            ):
                counts[name.decode()] = counts.get(name.decode(), 0) + int(count)
        return dict(sorted(counts.items()))

    @cached_property
    def examples(self) -> dict[str, Row]:
        """One photo of each category, by name: the first there in key order."""
        found: dict[str, Row] = {}
        for rows, positions in self._alive():
            by_key = positions[np.argsort(rows.key[positions], kind="stable")]
            for position in by_key[np.unique(rows.category[by_key], return_index=True)[1]]:
                row = rows[position]
                if row.category not in found or row.key < found[row.category].key:
                    found[row.category] = row
        return dict(sorted(found.items()))

    @cached_property
    def known(self) -> Rows:
        """Every key's winning row, photo or not, sorted by key."""
        parts = [rows for rows in (self._snapshot_rows, self._recent_rows) if len(rows)]
        rows = Rows.concatenate(parts)
        return rows.take(winners(rows))

    def hiding_deleted(self, guards: Sequence[Gallery]) -> Gallery:
        """This gallery, held by a pin, without what was deleted since.

        A key is hidden when the live gallery, the first of the guards, has nothing under it, or
        when any of them has a tombstone looked at after this gallery's row. Times are compared,
        not versions: two models' reconciliations count apart.
        """
        live = guards[0]
        alive = Rows.concatenate([rows.take(positions) for rows, positions in self._alive()])
        there = live.known.key[live.known.kind != Kind.TOMBSTONE]
        hidden = set(alive.key[~np.isin(alive.key, there)].tolist())
        seen = dict(zip(alive.key.tolist(), alive.looked_at.tolist(), strict=True))
        for guard in guards:
            for rows in (guard._snapshot_rows, guard._recent_rows):
                gone = rows.kind == Kind.TOMBSTONE
                for key, at in zip(rows.key[gone].tolist(), rows.looked_at[gone], strict=True):
                    if key in seen and at >= seen[key]:
                        hidden.add(key)
        return Gallery(self.commit, self.snapshot, self.folded, self.tail, frozenset(hidden))

    @property
    def applied(self) -> frozenset[str]:
        """Ids of all segments known to be in this gallery, merged ones included."""
        names = set(self.snapshot.folded_ids) if self.snapshot else set()
        for segments in (self.folded, self.tail):
            for segment_id, segment in segments.items():
                names |= {segment_id, *segment.folded}
        return frozenset(names)

    @property
    def _snapshot_rows(self) -> Rows:
        return self.snapshot.rows if self.snapshot else EMPTY_ROWS

    @property
    def _recent_rows(self) -> Rows:
        return self._recent.rows if self._recent else EMPTY_ROWS

    @cached_property
    def _recent(self) -> Segment | None:
        segments = [*self.folded.values(), *self.tail.values()]
        return concatenate(segments) if segments else None

    @cached_property
    def _snapshot_touched(self) -> Positions:
        """Snapshot rows whose key the recent rows speak of."""
        keys = np.unique(self._recent_rows.key)
        starts = np.searchsorted(self._snapshot_rows.key, keys, side="left")
        ends = np.searchsorted(self._snapshot_rows.key, keys, side="right")
        ranges = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
        return np.concatenate(ranges) if ranges else np.empty(0, np.intp)

    @cached_property
    def _winning(self) -> tuple[Mask, Mask]:
        """Which touched snapshot rows, and which recent rows, no higher version beats."""
        touched = self._snapshot_rows.take(self._snapshot_touched)
        contest = Rows.concatenate([touched, self._recent_rows])
        won = np.zeros(len(contest), dtype=bool)
        won[winners(contest)] = True
        return won[: len(touched)], won[len(touched) :]

    @cached_property
    def _snapshot_alive(self) -> Mask | None:
        """By vector of the snapshot: can it be found? None when all can."""
        if self.snapshot is None:
            return None
        beaten = self._snapshot_touched[~self._winning[0]]
        dead_rows = beaten[self._snapshot_rows.kind[beaten] == Kind.PHOTO]
        if len(dead_rows) == 0 and not self.hidden:
            return None
        alive = np.ones(len(self.snapshot.photo_rows), dtype=bool)
        alive[np.searchsorted(self.snapshot.photo_rows, dead_rows)] = False
        return alive & self._not_hidden(self._snapshot_rows, self.snapshot.photo_rows)

    @cached_property
    def _recent_alive(self) -> Mask:
        """By vector of the recent segments: can it be found?"""
        photo_rows = self._recent_rows.photo_rows
        return self._winning[1][photo_rows] & self._not_hidden(self._recent_rows, photo_rows)

    def _not_hidden(self, rows: Rows, positions: Positions) -> Mask:
        if not self.hidden:
            return np.ones(len(positions), dtype=bool)
        return ~np.isin(rows.key[positions], np.array(sorted(self.hidden)))

    def _alive(self) -> Iterator[tuple[Rows, Positions]]:
        if self.snapshot is not None:
            alive = self._snapshot_alive
            photo_rows = self.snapshot.photo_rows
            yield self.snapshot.rows, photo_rows if alive is None else photo_rows[alive]
        if self._recent is not None:
            yield self._recent.rows, self._recent.rows.photo_rows[self._recent_alive]

    def _where(self, column: str, value: str) -> Iterator[Row]:
        for rows, positions in self._alive():
            equal = rows.columns()[column][positions] == value.encode()
            yield from (rows[position] for position in positions[equal])

    @cached_property
    def _allowed_by_category(self) -> dict[str, Mask]:
        return {}

    def _snapshot_allowed(self, category: str | None) -> Mask | None:
        if category is None or self.snapshot is None:
            return self._snapshot_alive
        allowed = self._allowed_by_category.get(category)
        if allowed is None:
            names = self.snapshot.rows.category[self.snapshot.photo_rows]
            allowed = _in_category(names, category)
            if self._snapshot_alive is not None:
                allowed &= self._snapshot_alive
            if allowed.any():  # a shopper's made-up categories must not fill the memory
                self._allowed_by_category[category] = allowed
        return allowed


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


def _nearest(
    index: Index, vector: NDArray[np.float32], top_k: int, allowed: Mask | None
) -> Positions:
    """Positions of the `top_k` most similar and of all that may tie with the last of them."""
    asked = top_k
    while True:
        asked *= 2
        similarities, positions = index.search(vector, asked, allowed)
        if len(positions) < asked or similarities[-1] < similarities[top_k - 1] - _ROUNDING:
            return positions[_may_be_best(similarities, top_k)]


def _may_be_best(similarities: NDArray[np.float32], top_k: int) -> Positions:
    """Positions of the `top_k` greatest and of all that may tie with the last of them."""
    if len(similarities) <= top_k:
        return np.arange(len(similarities))
    last = np.partition(similarities, -top_k)[-top_k]
    return np.flatnonzero(similarities >= last - _ROUNDING)


def _matches(
    rows: Rows,
    positions: Positions,
    vectors: NDArray[np.float32],
    vector: NDArray[np.float32],
    top_k: int,
) -> list[Match]:
    """The best, ties in key order. One way to multiply, whatever part the vectors are from: the
    same photo under two keys is equally similar, and a warm searcher ranks as a new one does."""
    similarities = np.einsum("ij,j->i", vectors, vector)
    best = np.lexsort((rows.key[positions], -similarities))[:top_k]
    return [Match(rows[positions[i]], float(similarities[i])) for i in best]


def _in_category(names: Bytes, category: str | None) -> Mask:
    """Whether each is the category or lies under it."""
    if category is None:
        return np.ones(len(names), dtype=bool)
    name = category.encode()
    inside: Mask = (names == name) | np.strings.startswith(names, name + b"/")
    return inside

"""The gallery: one whole commit in memory, answering searches until the next is loaded whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lens.errors import DamagedError
from lens.gallery.commits import Commit
from lens.gallery.index import EightBits, similarities_of
from lens.gallery.nearest import may_be_best, nearest
from lens.gallery.product_tables import Shelf
from lens.gallery.rows import (
    EMPTY_ROWS,
    OF_LISTINGS,
    Bytes,
    Cause,
    Kind,
    Mask,
    Positions,
    Row,
    Rows,
    among,
    caused_by,
    last_of_each_key,
    still_waiting,
    winners,
)
from lens.gallery.segments import Segment, concatenate
from lens.gallery.selection import Selection
from lens.gallery.snapshots import Snapshot

_NOWHERE = np.empty(0, np.intp)


@dataclass(frozen=True)
class Match:
    """A photo of the gallery and its inner product with the query."""

    row: Row
    similarity: float


@dataclass(frozen=True)
class Gallery:
    """The rows of one commit: a snapshot behind an index, and a tail that is scanned.

    `carried` are segments that the commit's snapshot contains but `snapshot`, an ancestor of it,
    does not: a warm searcher that has applied them need not load the newer snapshot.
    """

    commit: Commit
    snapshot: Snapshot | None
    carried: Mapping[str, Segment] = field(default_factory=dict)
    tail: Mapping[str, Segment] = field(default_factory=dict)
    hidden: frozenset[bytes] = frozenset()  # keys that a pin, or one search, must not show
    shelf: Shelf | None = None  # the shop's products; None without a product file
    damaged: tuple[DamagedError, ...] = ()  # what it goes without

    def search(
        self,
        vector: NDArray[np.float32],
        top_k: int,
        category: str | None = None,
        selection: Selection | None = None,
    ) -> list[Match]:
        """The nearest photos of a (D,) unit vector, most similar first; ties in key order. Only of
        those in a category and selection, where they are given."""
        matches: list[Match] = []
        if self.snapshot is not None:
            index, layout = self.snapshot.index, self.snapshot.layout
            within = layout.span(category) if category is not None else range(len(index))
            allowed = selection.indexed if selection else None
            similarities, positions = nearest(index, vector, top_k, within, self._dead, allowed)
            found = layout.rows_at[positions].astype(np.intp)
            matches += _matches(self.snapshot.rows, found, similarities, top_k)
        if self._recent is not None:
            rows, photo_rows = self._recent.rows, self._recent.rows.photo_rows
            here = self._recent_alive
            if category is not None:
                here = here & _in_category(rows.category[photo_rows], category)
            if selection is not None:
                here = here & selection.recent
            estimates = np.where(here, self._recent_vectors @ vector, -np.inf)
            best = may_be_best(estimates, top_k)
            best = best[here[best]]
            similarities = similarities_of(self._recent_vectors[best], vector)
            matches += _matches(rows, photo_rows[best], similarities, top_k)
        matches.sort(key=lambda match: (-match.similarity, match.row.key))
        return matches[:top_k]

    def select(self, indexed: Mask, recent: Mask) -> Selection:
        """The photos that may be found and are chosen: by position of the snapshot, and by vector
        of the recent segments in their order."""
        if self.snapshot is None:
            return Selection(None, recent)
        alive = indexed.copy()
        alive[self._dead] = False
        return Selection(self.snapshot.index.allow(alive), recent)

    def photos(self) -> Iterator[Row]:
        """Every photo that can be found."""
        for rows, positions in self._alive():
            yield from (rows[position] for position in positions)

    def chosen(self, indexed: Mask, recent: Mask) -> Iterator[Row]:
        """The photos that `select` would choose, in no order."""
        if self.snapshot is not None:
            alive = indexed.copy()
            alive[self._dead] = False
            rows, rows_at = self.snapshot.rows, self.snapshot.layout.rows_at
            yield from (rows[int(rows_at[position])] for position in np.flatnonzero(alive))
        rows, photo_rows = self._recent_rows, self._recent_rows.photo_rows
        found = photo_rows[np.flatnonzero(recent & self._recent_alive)]
        yield from (rows[position] for position in found)

    def has_item(self, item_id: str) -> bool:
        """Whether a photo that can be found shows an item."""
        return next(iter(self._where("item_id", item_id)), None) is not None

    def items_called(self, name: str) -> set[str]:
        """The items whose path ends in a folder of this name. It looks at all photos."""
        found: set[str] = set()
        for rows, positions in self._alive():
            items = rows.item_id[positions]
            ends = np.strings.endswith(items, f"/{name}".encode())
            found |= {item.decode() for item in items[ends].tolist()}
        return found

    def item(self, item_id: str) -> list[Row]:
        """The photos that show an item, in key order."""
        return [row for row, _ in self.item_vectors(item_id)]

    def item_vectors(self, item_id: str) -> list[tuple[Row, NDArray[np.float32]]]:
        """The same, each with its (D,) vector."""
        return sorted(self._found("item_id", item_id), key=lambda found: found[0].key)

    def photo_vectors(self, photo_id: str) -> list[tuple[Row, NDArray[np.float32]]]:
        """The places of a photo, by its content's id, in key order, each with its (D,) vector."""
        return sorted(self._found("photo_id", photo_id), key=lambda found: found[0].key)

    def segment_of(self, keys: Bytes) -> Segment:
        """The photos that can be found under these keys, which are sorted, with their vectors."""
        parts = []
        if self.snapshot is not None:
            found = self.snapshot.rows.of_keys(keys)
            positions = self.snapshot.layout.position_of[found]
            alive = (positions >= 0) & ~np.isin(positions, self._dead)
            vectors = self.snapshot.index.vectors[positions[alive]]
            parts.append(Segment(self.snapshot.rows.take(found[alive]), vectors))
        if self._recent is not None:
            rows, photo_rows = self._recent.rows, self._recent.rows.photo_rows
            chosen = self._recent_alive & among(rows.key[photo_rows], keys)[0]
            parts.append(Segment(rows.take(photo_rows[chosen]), self._recent.vectors[chosen]))
        return concatenate(parts)

    def photo(self, photo_id: str) -> Row | None:
        """A photo by its content's id."""
        return next(iter(self._where("photo_id", photo_id)), None)

    def has_photo_at(self, key: str) -> Row | None:
        """The photo that can be found under a catalog key."""
        return next(iter(self._where("key", key)), None)

    @cached_property
    def photo_count(self) -> int:
        """Photos that can be found."""
        indexed = len(self.snapshot.index) - len(self._dead) if self.snapshot else 0
        return indexed + int(np.count_nonzero(self._recent_alive))

    @cached_property
    def categories(self) -> dict[str, int]:
        """Photos in each category, by name."""
        counts: dict[str, int] = {}
        if self.snapshot is not None:
            layout = self.snapshot.layout
            for name, count in zip(layout.categories, layout.counts(self._dead), strict=True):
                counts[name.decode()] = int(count)
        recent = self._recent_rows.category[self._recent_photos]
        for name, count in zip(*np.unique(recent, return_counts=True), strict=True):
            counts[name.decode()] = counts.get(name.decode(), 0) + int(count)
        return {name: count for name, count in sorted(counts.items()) if count}

    @cached_property
    def examples(self) -> dict[str, Row]:
        """One photo of each category, by name: the first there in key order."""
        found: dict[str, Row] = {}
        if self.snapshot is not None:
            layout = self.snapshot.layout
            for number in np.flatnonzero(layout.counts(self._dead)):
                row = self.snapshot.rows[layout.first_row(int(number), self._dead)]
                found[row.category] = row
        rows, photos = self._recent_rows, self._recent_photos
        by_key = photos[np.argsort(rows.key[photos], kind="stable")]
        for position in by_key[np.unique(rows.category[by_key], return_index=True)[1]]:
            row = rows[position]
            if row.category not in found or row.key < found[row.category].key:
                found[row.category] = row
        return dict(sorted(found.items()))

    @cached_property
    def known(self) -> Rows:
        """Every key's winning row, photo or not, sorted by key."""
        # A snapshot's rows are sorted by key and version already.
        settled, recent = self._snapshot_rows, self._recent_rows
        kept = last_of_each_key(settled.key)
        kept[self._snapshot_touched] = False
        contest = Rows.concatenate([settled.take(self._snapshot_touched), recent])
        parts = [settled.take(np.flatnonzero(kept)), contest.take(winners(contest))]
        rows = Rows.concatenate(parts)
        return rows.take(np.argsort(rows.key, kind="stable"))

    @cached_property
    def waiting(self) -> Rows:
        """The photos that cannot be read now, sorted by key: their newest looks. One that was read
        before is still found as it was."""
        settled, recent = self._snapshot_rows, self._recent_rows
        parts = [rows.key[rows.kind == Kind.WAITING] for rows in (settled, recent)]
        keys = np.unique(np.concatenate(parts))
        concerned = [
            settled.take(settled.of_keys(keys)),
            recent.take(np.flatnonzero(among(recent.key, keys)[0])),
        ]
        rows = Rows.concatenate(concerned)
        return rows.take(still_waiting(rows))

    def removed_since(self, since: float, causes: Collection[Cause]) -> int:
        """Keys whose winning row is a tombstone of one of these causes, looked at since then."""
        settled, recent = self._snapshot_rows, self._recent_rows
        found = []
        for rows in (settled, recent):
            dead = rows.take(
                np.flatnonzero((rows.kind == Kind.TOMBSTONE) & (rows.looked_at >= since))
            )
            found.append(dead.key[caused_by(dead, causes)])
        keys = np.unique(np.concatenate(found))
        if len(keys) == 0:
            return 0
        concerned = [
            settled.take(settled.of_keys(keys)),
            recent.take(np.flatnonzero(among(recent.key, keys)[0])),
        ]
        rows = Rows.concatenate(concerned)
        won = rows.take(winners(rows))
        dead = (won.kind == Kind.TOMBSTONE) & (won.looked_at >= since) & caused_by(won, causes)
        return int(np.count_nonzero(dead))

    def without(self, keys: Iterable[str]) -> Gallery:
        """This gallery as if there were no photos under these keys."""
        return replace(self, hidden=self.hidden | {key.encode() for key in keys})

    def hiding_deleted(self, guards: Sequence[Gallery], *, undo: bool = False) -> Gallery:
        """This gallery, held by a pin, without what was deleted since; with `undo`, what listings
        alone have removed is shown.

        A key is hidden when the live gallery, the first of the guards, has nothing under it, or
        when any of them has a tombstone looked at after this gallery's row. Times are compared,
        not versions, because each model counts its reconciliations by itself.
        """
        live = guards[0].known
        keys = np.sort(np.concatenate([rows.key[at] for rows, at in self._alive()]))
        gone = ~among(keys, live.key[live.kind != Kind.TOMBSTONE])[0]
        parts = [rows for g in guards for rows in (g._snapshot_rows, g._recent_rows)]
        tombstones = [rows.take(np.flatnonzero(rows.kind == Kind.TOMBSTONE)) for rows in parts]
        if undo:
            by_listing = [caused_by(rows, OF_LISTINGS) for rows in tombstones]
            pairs = list(zip(tombstones, by_listing, strict=True))
            listed = np.concatenate([rows.key[these] for rows, these in pairs])
            gone &= ~among(keys, np.unique(listed))[0]
            tombstones = [rows.take(np.flatnonzero(~these)) for rows, these in pairs]
        hidden = replace(self, hidden=self.hidden | frozenset(keys[gone].tolist()))
        return hidden.hiding(tombstones)

    def hiding(self, parts: Iterable[Rows]) -> Gallery:
        """This gallery without the photos that were looked at before one of these parts' tombstones
        of their key; itself where there are none."""
        rows = Rows.concatenate([rows.take(positions) for rows, positions in self._alive()])
        alive = rows.take(np.argsort(rows.key, kind="stable"))
        gone = np.zeros(len(alive), np.bool_)
        for rows in parts:
            tombstones = np.flatnonzero(rows.kind == Kind.TOMBSTONE)
            there, places = among(rows.key[tombstones], alive.key)
            tombstones, places = tombstones[there], places[there]
            gone[places[rows.looked_at[tombstones] >= alive.looked_at[places]]] = True
        hidden = self.hidden | frozenset(alive.key[gone].tolist())
        return self if hidden == self.hidden else replace(self, hidden=hidden)

    @property
    def applied(self) -> frozenset[str]:
        """Ids of all segments known to be in this gallery, merged ones included."""
        names = set(self.snapshot.folded_ids) if self.snapshot else set()
        for segments in (self.carried, self.tail):
            for segment_id, segment in segments.items():
                names |= {segment_id, *segment.merged_from}
        return frozenset(names)

    @property
    def _snapshot_rows(self) -> Rows:
        return self.snapshot.rows if self.snapshot else EMPTY_ROWS

    @property
    def _recent_rows(self) -> Rows:
        return self._recent.rows if self._recent else EMPTY_ROWS

    @cached_property
    def _recent(self) -> Segment | None:
        segments = [*self.carried.values(), *self.tail.values()]
        return concatenate(segments) if segments else None

    @cached_property
    def _recent_vectors(self) -> NDArray[np.float32]:
        """As exact as the snapshot's: a photo is as similar before it is folded as after."""
        vectors = self._recent.vectors if self._recent else np.empty((0, 0), np.float32)
        rounded = self.snapshot and isinstance(self.snapshot.index.stored, EightBits)
        return EightBits.of(vectors)[:] if rounded else vectors

    @cached_property
    def _snapshot_touched(self) -> Positions:
        """Snapshot rows whose key is also among the recent rows."""
        return self._snapshot_rows.of_keys(np.unique(self._recent_rows.key))

    @cached_property
    def _winning(self) -> tuple[Mask, Mask]:
        """Which touched snapshot rows, and which recent rows, no higher version beats."""
        touched = self._snapshot_rows.take(self._snapshot_touched)
        contest = Rows.concatenate([touched, self._recent_rows])
        won = np.zeros(len(contest), dtype=bool)
        won[winners(contest)] = True
        return won[: len(touched)], won[len(touched) :]

    @cached_property
    def _dead(self) -> Positions:
        """Positions, sorted, of the snapshot's vectors that cannot be found."""
        if self.snapshot is None:
            return _NOWHERE
        beaten = self._snapshot_touched[~self._winning[0]]
        hidden = self._snapshot_rows.of_keys(self._hidden_keys)
        positions = self.snapshot.layout.position_of[np.concatenate([beaten, hidden])]
        return np.unique(positions[positions >= 0]).astype(np.intp)

    @cached_property
    def _hidden_keys(self) -> Bytes:
        return np.array(sorted(self.hidden), dtype=np.bytes_)

    @cached_property
    def _recent_alive(self) -> Mask:
        """By vector of the recent segments: can it be found?"""
        photo_rows = self._recent_rows.photo_rows
        hidden, _ = among(self._recent_rows.key[photo_rows], self._hidden_keys)
        return self._winning[1][photo_rows] & ~hidden

    @property
    def _recent_photos(self) -> Positions:
        """Recent rows that can be found."""
        return self._recent_rows.photo_rows[self._recent_alive]

    def _alive(self) -> Iterator[tuple[Rows, Positions]]:
        if self.snapshot is not None:
            alive = np.delete(self.snapshot.layout.rows_at, self._dead)
            yield self.snapshot.rows, np.sort(alive).astype(np.intp)
        yield self._recent_rows, self._recent_photos

    def _where(self, column: str, value: str) -> Iterator[Row]:
        return (row for row, _ in self._found(column, value))

    def _found(self, column: str, value: str) -> Iterator[tuple[Row, NDArray[np.float32]]]:
        """The photos with this value, each with its vector."""
        if self.snapshot is not None:
            rows, layout = self.snapshot.rows, self.snapshot.layout
            if column == "key":
                found = rows.of_keys(np.array([value.encode()]))
            else:
                found = layout.find(rows, column, value.encode())
            positions = layout.position_of[found]
            alive = (positions >= 0) & ~np.isin(positions, self._dead)
            for row, position in zip(found[alive], positions[alive], strict=True):
                yield rows[row], self.snapshot.index.stored[position]
        if self._recent is not None:
            rows, alive = self._recent.rows, self._recent_alive
            equal = alive & (rows.columns()[column][rows.photo_rows] == value.encode())
            for number in np.flatnonzero(equal):
                yield rows[rows.photo_rows[number]], self._recent_vectors[number]


def _matches(
    rows: Rows, positions: Positions, similarities: NDArray[np.float32], top_k: int
) -> list[Match]:
    """The best, ties in key order."""
    best = np.lexsort((rows.key[positions], -similarities))[:top_k]
    return [Match(rows[positions[i]], float(similarities[i])) for i in best]


def _in_category(names: Bytes, category: str) -> Mask:
    """Whether each is the category or lies under it."""
    name = category.encode()
    inside: Mask = (names == name) | np.strings.startswith(names, name + b"/")
    return inside

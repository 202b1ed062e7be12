"""Purge: takes photos down at once and for good: their vectors, rows and thumbnails, in every
commit that is kept and in every version of a file.

It works in rounds until nothing names the photos, because looks that began before go on meanwhile.
Killed at any point and begun again it ends whole: what tells which thumbnails are a photo's (its
rows, and the versions of its file) goes last.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lens.errors import ArtifactError, ConflictError, NotFoundError, UsageError
from lens.gallery import retention
from lens.gallery.commits import (
    COMMITS,
    HEADS,
    Commit,
    SegmentRef,
    advance_head,
    commit_key,
    parse_head_key,
    read_head,
)
from lens.gallery.current import Current, read_current, swap_current
from lens.gallery.rows import Cause, Kind, Mask, Row, Rows, among
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import (
    Segment,
    parse_segment_key,
    read_segment,
    segment_key,
    write_segment,
)
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import load_rows, parse_snapshot_key, read_snapshot_manifest
from lens.gallery.versions import UNSEEN
from lens.photos.catalog import Catalog
from lens.photos.decoding import photo_id
from lens.photos.thumbnail_store import thumb_key
from lens.pipeline.compact import fold, snapshot_of
from lens.storage import FileStorage, Storage
from lens.storage.aside import PREFIX as ASIDE
from lens.storage.documents import read_document, write_document
from lens.storage.erasure import erase, erase_replaced, versions

_ROUNDS = 5
_FOLDS = 20
_READERS = 8
_WRITING = 3_600.0  # seconds: no writer takes longer over a part
_PARTS = re.compile(
    rf"{SEGMENTS}[^/]+/[0-9a-f]{{32}}\.npz|{SNAPSHOTS}[^/]+/[0-9a-f]{{32}}/[a-z]+\.[a-z]+"
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where a catalog, its thumbnails and what was made of it lie."""

    catalog: Catalog
    artifacts: Storage
    thumbs: Storage


@dataclass(frozen=True)
class Purged:
    """The keys that were known and taken down, and those that nothing knows."""

    keys: list[str]
    unknown: list[str]


class _Part(NamedTuple):
    """A segment or snapshot."""

    prefix: str
    model_id: str
    id: str


# What the parts say of the keys; None for a part that is damaged, so that nobody can tell.
_Found = Mapping[_Part, Rows | None]


def purge(
    place: Place,
    keys: Iterable[str],
    *,
    say: Say,
    invalidate: Callable[[list[str], list[str]], None] = lambda keys, photos: None,
    clock: Callable[[], float] = time.time,
) -> Purged:
    """Take down what lies, or lay, under these keys; `say` is told each thing that was done.

    `invalidate` gets keys, and ids of photos whose thumbnails went. What is put under a key
    meanwhile or later is a new photo, and stays.

    Raises UsageError, before anything is changed, while a file is in the catalog's folder: it is
    the shop's, and would be indexed again.
    """
    wanted = list(dict.fromkeys(keys))
    own = place.catalog.storage
    for key in wanted:
        if isinstance(own, FileStorage) and own.head(key) is not None:
            raise UsageError(f"delete {own.root / key} first: it would be indexed again")
    return _Purge(place, wanted, say, clock).run(invalidate)


class _Purge:
    def __init__(self, place: Place, keys: list[str], say: Say, clock: Callable[[], float]) -> None:
        self._catalog, self._artifacts, self._thumbs = place.catalog, place.artifacts, place.thumbs
        self._stores = [each for each in (place.catalog.storage, place.catalog.pictures) if each]
        self._keys, self._say, self._clock = keys, say, clock
        self._sorted = np.unique(np.array([key.encode() for key in keys], dtype=np.bytes_))
        self._fresh: dict[bytes, bytes] = {}  # ETags of what was put under the keys since

    def run(self, invalidate: Callable[[list[str], list[str]], None]) -> Purged:
        known = {key for key in self._keys if self._delete(key)}
        photos = {photo_id(data) for key in self._keys for data in self._versions(key)}
        found = self._find()
        rows = [each for each in found.values() if each is not None]
        known |= {key.decode() for each in rows for key in each.key.tolist()}
        keys = [key for key in self._keys if key in known]
        unknown = [key for key in self._keys if key not in known]
        if not keys:
            return Purged([], unknown)
        for number in range(_ROUNDS):
            dirty = {part for part, each in found.items() if each is None or self._old(each).any()}
            if number and not dirty:
                break
            photos |= self._photos_in(found)
            self._clear_heads(keys, found, dirty)
            self._clear_history(dirty)
            removed = self._remove_thumbnails(photos, dirty)
            invalidate(keys, removed)
            self._remove_parts(dirty)
            photos, found = set(), self._find()
        else:
            raise ConflictError("these photos are being embedded just now: run it again")
        self._remove_versions(keys)
        return Purged(keys, unknown)

    # The photos' files.

    def _delete(self, key: str) -> bool:
        """Delete what lies there now; whether there was something, or an earlier version is."""
        there = [store for store in self._stores if store.head(key) is not None]
        for store in there:
            store.delete(key)
            self._say(f"{key}: deleted from {store.location}")
        return bool(there) or any(True for _ in self._versions(key))

    def _versions(self, key: str) -> Iterator[bytes]:
        for store in self._stores:
            yield from versions(store, key)

    def _remove_versions(self, keys: list[str]) -> None:
        for key in keys:
            count = sum(erase_replaced(each, key, key.__eq__) for each in self._stores)
            if count:
                self._say(f"{key}: {_count(count, 'version')} of it erased")
        count = sum(
            erase_replaced(self._artifacts, prefix, lambda key: bool(_PARTS.fullmatch(key)))
            for prefix in (SEGMENTS, SNAPSHOTS)
        )
        if count:
            self._say(f"{_count(count, 'version')} of parts that were removed earlier erased")

    # What names them.

    def _find(self) -> _Found:
        """What the parts say of the keys; those that say nothing are left out."""
        for key in self._keys:
            info = self._catalog.head(key)
            if info is not None:
                self._fresh[key.encode()] = info.etag.encode()
        with ThreadPoolExecutor(_READERS, "purge") as pool:
            parts = self._parts()
            read = zip(parts, pool.map(self._rows_of_keys, parts), strict=True)
            return {part: rows for part, rows in read if rows is None or len(rows)}

    def _parts(self) -> list[_Part]:
        segments = (
            _Part(SEGMENTS, *parse_segment_key(info.key))
            for info in self._artifacts.list(SEGMENTS)
            if _PARTS.fullmatch(info.key)
        )
        snapshots = (
            _Part(SNAPSHOTS, *parse_snapshot_key(info.key))
            for info in self._artifacts.list(SNAPSHOTS)
            if _PARTS.fullmatch(info.key)
        )
        return list(dict.fromkeys([*segments, *snapshots]))

    def _rows_of_keys(self, part: _Part) -> Rows | None:
        rows = self._rows(part)
        return rows and rows.take(np.flatnonzero(among(rows.key, self._sorted)[0]))

    def _rows(self, part: _Part) -> Rows | None:
        try:
            if part.prefix == SEGMENTS:
                return read_segment(self._artifacts, part.model_id, part.id).rows
            return load_rows(self._artifacts, part.model_id, part.id)
        except NotFoundError:
            # Removed just now, being written just now, or left half by a writer that was killed.
            files = list(self._artifacts.list(_folder(part))) if part.prefix == SNAPSHOTS else []
            killed = files and max(each.modified for each in files) < self._clock() - _WRITING
            return None if killed else Rows.of([])
        except ArtifactError as error:
            self._say(f"a part cannot be read and is taken for one that names them: {error}")
            return None

    def _old(self, rows: Rows) -> Mask:
        """Which rows are of the keys as they were: not of what was put there since."""
        ours: Mask = among(rows.key, self._sorted)[0] & (rows.kind != Kind.TOMBSTONE)
        for position in np.flatnonzero(ours):
            fresh = self._fresh.get(bytes(rows.key[position]))
            ours[position] = fresh is None or fresh != bytes(rows.etag[position])
        return ours

    def _photos_in(self, found: _Found) -> set[str]:
        return {
            rows[position].photo_id
            for rows in found.values()
            if rows is not None
            for position in np.flatnonzero(self._old(rows) & (rows.kind == Kind.PHOTO))
        }

    # The galleries.

    def _clear_heads(self, keys: list[str], found: _Found, dirty: set[_Part]) -> None:
        """Let each model's head say that the photos are gone, and fold it without them."""
        current = read_current(self._artifacts)
        for info in self._artifacts.list(HEADS):
            model_id = parse_head_key(info.key)
            head = read_head(self._artifacts, model_id)
            if head.snapshot is None and not head.segments:
                continue
            segments = self._loose(head, current, found, dirty)
            if tombstones := self._tombstones(head, keys, found):
                segments.append(self._write(head, tombstones))
            if segments:
                head = self._add(model_id, segments)
            if segments or any(part in dirty for part in _parts_of(head)):
                self._fold(model_id)

    def _loose(
        self, head: Commit, current: Current | None, found: _Found, dirty: set[_Part]
    ) -> list[SegmentRef]:
        """Segments that wait to be committed and name the keys: committed here, they lose nothing
        else, and nobody commits them once they are erased. What is too old to be applied is not."""
        if current is None or head.model_id not in current.followed:
            return []
        known = set(head.tail_ids)
        if head.snapshot is not None:
            manifest = read_snapshot_manifest(self._artifacts, head.model_id, head.snapshot.id)
            known |= {each.id for each in manifest.folded}
        refs = []
        for part in dirty:
            mine = part.prefix == SEGMENTS and part.model_id == head.model_id
            if not mine or part.id in known or found[part] is None:
                continue
            try:
                segment = read_segment(self._artifacts, part.model_id, part.id)
            except NotFoundError:
                continue
            young = segment.rows.looked_at.min() >= self._clock() - retention.SEGMENT
            if young and not segment.merged_from:
                refs.append(SegmentRef(id=part.id, rows=len(segment.rows)))
        return refs

    def _tombstones(self, head: Commit, keys: list[str], found: _Found) -> list[Row]:
        """The rows that say so, above all that is known of a key in any part of the model, where
        the head does not say it yet."""
        mine = {part: rows for part, rows in found.items() if part.model_id == head.model_id}
        inside = set(_parts_of(head))
        tombstones = []
        for key in keys:
            seen: list[Row] = []
            said = UNSEEN
            for part, rows in mine.items():
                for row in self._old_rows(rows, key):
                    seen.append(row)
                    if (
                        part in inside
                        and row.kind == Kind.TOMBSTONE
                        and row.reason == Cause.TAKEDOWN
                    ):
                        said = max(said, row.version)
            version = max((row.version for row in seen), default=UNSEEN)
            if said > UNSEEN and said >= version:
                continue
            at = max([self._clock(), *(row.looked_at for row in seen)])
            tombstones.append(Row(key, version.bumped(), Kind.TOMBSTONE, at, reason=Cause.TAKEDOWN))
        return tombstones

    def _old_rows(self, rows: Rows | None, key: str) -> list[Row]:
        if rows is None:
            return []
        old = self._old(rows) | (rows.kind == Kind.TOMBSTONE)
        return [rows[position] for position in np.flatnonzero(old & (rows.key == key.encode()))]

    def _write(self, head: Commit, tombstones: list[Row]) -> SegmentRef:
        if head.snapshot is not None:
            manifest = read_snapshot_manifest(self._artifacts, head.model_id, head.snapshot.id)
            dim = manifest.embedding_dim
        else:
            first = read_segment(self._artifacts, head.model_id, head.segments[0].id)
            dim = first.vectors.shape[1]
        segment = Segment(Rows.of(tombstones), np.empty((0, dim), np.float32))
        name = write_segment(self._artifacts, head.model_id, segment)
        return SegmentRef(id=name, rows=len(tombstones))

    def _add(self, model_id: str, refs: list[SegmentRef]) -> Commit:
        def add(newest: Commit) -> Commit | None:
            fresh = tuple(ref for ref in refs if ref.id not in newest.tail_ids)
            return newest.model_copy(update={"segments": newest.segments + fresh})

        return advance_head(self._artifacts, model_id, add, now=self._clock())

    def _fold(self, model_id: str) -> None:
        for _ in range(_FOLDS):
            head = read_head(self._artifacts, model_id)
            if fold(self._artifacts, head, now=self._clock(), forget=True):
                number = read_head(self._artifacts, model_id).number
                self._say(f"taken out of the gallery of {model_id}: commit {number}")
                return
        raise ConflictError(f"the gallery of {model_id} kept changing: run it again")

    def _clear_history(self, dirty: set[_Part]) -> None:
        """Move a pin to a copy of its commit without the photos, and remove other commits that have
        them. What is older than such a commit is out of reach then."""
        commits = {}
        for info in self._artifacts.list(COMMITS):
            try:
                commit = read_document(self._artifacts, info.key, Commit)[0]
            except NotFoundError:
                continue
            if not dirty.isdisjoint(_parts_of(commit)):
                commits[info.key] = commit
        self._move_pin(commits)
        for key in sorted(commits, reverse=True):
            erase(self._artifacts, key)
        self._move_pin(commits)  # to one of these, meanwhile
        if commits:
            self._say(f"{_count(len(commits), 'earlier commit')} that named them removed")

    def _move_pin(self, commits: Mapping[str, Commit]) -> None:
        current = read_current(self._artifacts)
        pin = current.pin if current else None
        if pin is None:
            return
        old = next((each for each in commits.values() if each.id == pin.commit_id), None)
        if old is None:
            return
        snapshot = snapshot_of(self._artifacts, old, lambda rows: ~self._old(rows))
        new = old.model_copy(
            update={
                "id": uuid.uuid4().hex,
                "parent": None,
                "snapshot": snapshot,
                "segments": (),
            }
        )
        write_document(self._artifacts, commit_key(new.model_id, new.name), new)
        moved = pin.model_copy(update={"commit_id": new.id})
        swap_current(
            self._artifacts,
            lambda c: c.model_copy(update={"pin": moved}) if c and c.pin == pin else None,
        )
        self._say(f"the pin holds a copy of commit {pin.commit} without them")
        self._move_pin({key: each for key, each in commits.items() if each.id != old.id})

    # Their files.

    def _remove_thumbnails(self, photos: set[str], dirty: set[_Part]) -> list[str]:
        """Remove what shows them, unless another photo of the shop is the same; the photos' ids."""
        if not photos:
            return []
        names = np.array(sorted(photo.encode() for photo in photos), dtype=np.bytes_)
        shared: set[str] = set()
        for part in self._parts():
            rows = None if part in dirty else self._rows(part)
            if rows is not None:
                same = among(rows.photo_id, names)[0] & ~self._old(rows)
                shared |= {rows[position].photo_id for position in np.flatnonzero(same)}
        alone = sorted(photos - shared)
        count = sum(erase(self._thumbs, thumb_key(photo)) > 0 for photo in alone)
        if count:
            self._say(f"{_count(count, 'thumbnail')} erased")
        if shared:
            self._say(f"{_count(len(shared), 'thumbnail')} kept: other photos are the same")
        return alone

    def _remove_parts(self, dirty: set[_Part]) -> None:
        for part in sorted(dirty):
            if part.prefix == SEGMENTS:
                erase(self._artifacts, segment_key(part.model_id, part.id))
                continue
            files = [each.key for each in self._artifacts.list(_folder(part))]
            for key in sorted(files, key=_last):
                erase(self._artifacts, key)
        if dirty:
            self._say(f"{_count(len(dirty), 'part')} that had them erased")
        # What a repair has set aside may have them, and cannot be asked.
        aside = [info.key for info in self._artifacts.list(ASIDE)]
        for key in aside:
            erase(self._artifacts, key)
        if aside:
            self._say(f"{_count(len(aside), 'damaged part')} that had been set aside erased")


def _parts_of(commit: Commit) -> list[_Part]:
    parts = [_Part(SEGMENTS, commit.model_id, ref.id) for ref in commit.segments]
    if commit.snapshot is not None:
        parts.append(_Part(SNAPSHOTS, commit.model_id, commit.snapshot.id))
    return parts


def _folder(part: _Part) -> str:
    return f"{SNAPSHOTS}{part.model_id}/{part.id}/"


def _last(key: str) -> int:
    """What a part is known by goes last."""
    return 2 * key.endswith("manifest.json") + key.endswith("rows.npz")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

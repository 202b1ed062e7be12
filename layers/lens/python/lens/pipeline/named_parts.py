"""Named parts: the segments and snapshots that have rows of some keys, whatever their state.

Rows of what was put under a key since are those of a new photo, and no concern of whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from lens.errors import ArtifactError, NotFoundError
from lens.gallery.commits import Commit
from lens.gallery.rows import Kind, Mask, Row, Rows, among
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import parse_segment_key, read_segment
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import load_rows, parse_snapshot_key
from lens.photos.catalog import Catalog
from lens.storage import Storage

_READERS = 8
_WRITING = 3_600.0  # seconds: no writer takes longer over a part
PARTS = re.compile(
    rf"{SEGMENTS}[^/]+/[0-9a-f]{{32}}\.npz|{SNAPSHOTS}[^/]+/[0-9a-f]{{32}}/[a-z]+\.[a-z]+"
)
Say = Callable[[str], None]


class Part(NamedTuple):
    """A segment or snapshot."""

    prefix: str
    model_id: str
    id: str


# What the parts say of the keys; None for a part that is damaged, so that nobody can tell.
Found = Mapping[Part, Rows | None]


class NamedParts:
    """The parts of some artifacts, asked for some of a catalog's keys."""

    def __init__(
        self,
        catalog: Catalog,
        artifacts: Storage,
        keys: Sequence[str],
        say: Say,
        clock: Callable[[], float],
    ) -> None:
        self._catalog, self._artifacts = catalog, artifacts
        self._keys, self._say, self._clock = keys, say, clock
        self._sorted = np.unique(np.array([key.encode() for key in keys], dtype=np.bytes_))
        self._fresh: dict[bytes, bytes] = {}  # ETags of what was put under the keys since

    def find(self) -> Found:
        """What the parts say of the keys; those that say nothing are left out."""
        for key in self._keys:
            info = self._catalog.head(key)
            if info is not None:
                self._fresh[key.encode()] = info.etag.encode()
        with ThreadPoolExecutor(_READERS, "purge") as pool:
            parts = self.all()
            read = zip(parts, pool.map(self._rows_of_keys, parts), strict=True)
            return {part: rows for part, rows in read if rows is None or len(rows)}

    def all(self) -> list[Part]:
        """Every segment and snapshot, whole or not."""
        segments = (
            Part(SEGMENTS, *parse_segment_key(info.key))
            for info in self._artifacts.list(SEGMENTS)
            if PARTS.fullmatch(info.key)
        )
        snapshots = (
            Part(SNAPSHOTS, *parse_snapshot_key(info.key))
            for info in self._artifacts.list(SNAPSHOTS)
            if PARTS.fullmatch(info.key)
        )
        return list(dict.fromkeys([*segments, *snapshots]))

    def _rows_of_keys(self, part: Part) -> Rows | None:
        rows = self.rows(part)
        return rows and rows.take(np.flatnonzero(among(rows.key, self._sorted)[0]))

    def rows(self, part: Part) -> Rows | None:
        """A part's rows; None where nobody can tell."""
        try:
            if part.prefix == SEGMENTS:
                return read_segment(self._artifacts, part.model_id, part.id).rows
            return load_rows(self._artifacts, part.model_id, part.id)
        except NotFoundError:
            # Removed just now, being written just now, or left half by a writer that was killed.
            files = list(self._artifacts.list(folder_of(part))) if part.prefix == SNAPSHOTS else []
            killed = files and max(each.modified for each in files) < self._clock() - _WRITING
            return None if killed else Rows.of([])
        except ArtifactError as error:
            self._say(f"a part cannot be read and is taken for one that names them: {error}")
            return None

    def old(self, rows: Rows) -> Mask:
        """Which rows are of the keys as they were: not of what was put there since."""
        ours: Mask = among(rows.key, self._sorted)[0] & (rows.kind != Kind.TOMBSTONE)
        for position in np.flatnonzero(ours):
            fresh = self._fresh.get(bytes(rows.key[position]))
            ours[position] = fresh is None or fresh != bytes(rows.etag[position])
        return ours

    def photos_in(self, found: Found) -> set[str]:
        """The ids of the photos that lay under the keys."""
        return {
            rows[position].photo_id
            for rows in found.values()
            if rows is not None
            for position in np.flatnonzero(self.old(rows) & (rows.kind == Kind.PHOTO))
        }

    def old_rows(self, rows: Rows | None, key: str) -> list[Row]:
        """A key's rows as it was, tombstones too."""
        if rows is None:
            return []
        old = self.old(rows) | (rows.kind == Kind.TOMBSTONE)
        return [rows[position] for position in np.flatnonzero(old & (rows.key == key.encode()))]


def parts_of(commit: Commit) -> list[Part]:
    """What a commit names."""
    parts = [Part(SEGMENTS, commit.model_id, ref.id) for ref in commit.segments]
    if commit.snapshot is not None:
        parts.append(Part(SNAPSHOTS, commit.model_id, commit.snapshot.id))
    return parts


def folder_of(part: Part) -> str:
    """Where a snapshot's files lie."""
    return f"{SNAPSHOTS}{part.model_id}/{part.id}/"


def count(number: int, what: str) -> str:
    """A number of things, in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"

"""Purge: takes photos down at once and for good: their vectors, rows and thumbnails, in every
commit that is kept and in every version of a file.

It works in rounds until nothing names the photos, because looks that began before go on meanwhile.
Killed at any point and begun again it ends whole: what tells which thumbnails are a photo's (its
rows, and the versions of its file) goes last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from lens.errors import ConflictError, UsageError
from lens.gallery.rows import among
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import segment_key
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.photos.catalog import Catalog
from lens.photos.decoding import photo_id
from lens.photos.thumbnail_store import thumb_key
from lens.pipeline.cleared_galleries import Galleries
from lens.pipeline.named_parts import PARTS, NamedParts, Part, Say, count, folder_of
from lens.storage import FileStorage, Storage
from lens.storage.aside import PREFIX as ASIDE
from lens.storage.erasure import erase, erase_replaced, versions

_ROUNDS = 5


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
        self._artifacts, self._thumbs = place.artifacts, place.thumbs
        self._stores = [each for each in (place.catalog.storage, place.catalog.pictures) if each]
        self._keys, self._say = keys, say
        self._named = NamedParts(place.catalog, place.artifacts, keys, say, clock)
        self._galleries = Galleries(place.artifacts, self._named, say, clock)

    def run(self, invalidate: Callable[[list[str], list[str]], None]) -> Purged:
        known = {key for key in self._keys if self._delete(key)}
        photos = {photo_id(data) for key in self._keys for data in self._versions(key)}
        found = self._named.find()
        rows = [each for each in found.values() if each is not None]
        known |= {key.decode() for each in rows for key in each.key.tolist()}
        keys = [key for key in self._keys if key in known]
        unknown = [key for key in self._keys if key not in known]
        if not keys:
            return Purged([], unknown)
        for number in range(_ROUNDS):
            dirty = {
                part for part, each in found.items() if each is None or self._named.old(each).any()
            }
            if number and not dirty:
                break
            photos |= self._named.photos_in(found)
            self._galleries.clear_heads(keys, found, dirty)
            self._galleries.clear_history(dirty)
            removed = self._remove_thumbnails(photos, dirty)
            invalidate(keys, removed)
            self._remove_parts(dirty)
            photos, found = set(), self._named.find()
        else:
            raise ConflictError("these photos are being embedded just now: run it again")
        self._remove_versions(keys)
        return Purged(keys, unknown)

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
            erased = sum(erase_replaced(each, key, key.__eq__) for each in self._stores)
            if erased:
                self._say(f"{key}: {count(erased, 'version')} of it erased")
        erased = sum(
            erase_replaced(self._artifacts, prefix, lambda key: bool(PARTS.fullmatch(key)))
            for prefix in (SEGMENTS, SNAPSHOTS)
        )
        if erased:
            self._say(f"{count(erased, 'version')} of parts that were removed earlier erased")

    def _remove_thumbnails(self, photos: set[str], dirty: set[Part]) -> list[str]:
        """Remove what shows them, unless another photo of the shop is the same; the photos' ids."""
        if not photos:
            return []
        names = np.array(sorted(photo.encode() for photo in photos), dtype=np.bytes_)
        shared: set[str] = set()
        for part in self._named.all():
            rows = None if part in dirty else self._named.rows(part)
            if rows is not None:
                same = among(rows.photo_id, names)[0] & ~self._named.old(rows)
                shared |= {rows[position].photo_id for position in np.flatnonzero(same)}
        alone = sorted(photos - shared)
        erased = sum(erase(self._thumbs, thumb_key(photo)) > 0 for photo in alone)
        if erased:
            self._say(f"{count(erased, 'thumbnail')} erased")
        if shared:
            self._say(f"{count(len(shared), 'thumbnail')} kept: other photos are the same")
        return alone

    def _remove_parts(self, dirty: set[Part]) -> None:
        for part in sorted(dirty):
            if part.prefix == SEGMENTS:
                erase(self._artifacts, segment_key(part.model_id, part.id))
                continue
            files = [each.key for each in self._artifacts.list(folder_of(part))]
            for key in sorted(files, key=_last):
                erase(self._artifacts, key)
        if dirty:
            self._say(f"{count(len(dirty), 'part')} that had them erased")
        # What a repair has set aside may have them, and cannot be asked.
        aside = [info.key for info in self._artifacts.list(ASIDE)]
        for key in aside:
            erase(self._artifacts, key)
        if aside:
            self._say(f"{count(len(aside), 'damaged part')} that had been set aside erased")


def _last(key: str) -> int:
    """What a part is known by goes last."""
    return 2 * key.endswith("manifest.json") + key.endswith("rows.npz")

"""Reconcile: finds the keys where a gallery differs from the catalog's listing."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from lens.errors import LensError, StorageError
from lens.feed.pictures import picture_in
from lens.gallery.commits import keeps_products, read_head
from lens.gallery.current import followed_models
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import ProductsManifest, products_key, read_look
from lens.gallery.rows import Bytes, Cause, Kind, Row, among
from lens.gallery.versions import UNSEEN, Look
from lens.photos.catalog import FEED_KEYS, Catalog, is_photo
from lens.photos.layouts.layout import Layout, Placed
from lens.photos.layouts.stored import read_layout
from lens.photos.origin import check_origin
from lens.pipeline.disappearance import WINDOW, decide, is_mass
from lens.pipeline.feed import knows_file
from lens.pipeline.layouts import regroup
from lens.pipeline.listing import Listed
from lens.pipeline.waiting import Retry, with_growing_pauses
from lens.storage import ObjectInfo, Storage

log = logging.getLogger(__name__)

# Keys that are looked up together.
_AT_ONCE = 8_192


@dataclass(frozen=True)
class Comparison:
    """Where a gallery differs from its catalog: in `looks`, and where `misplaced` photos belong;
    the catalog was listed after `at`. Photos that wait differ only when they are tried again.

    `oldest` is when the oldest photo that the gallery lacks was written, in seconds since the
    epoch; None when it lacks none. Photos that are gone do not count: a listing does not say when
    they went. `since` says of each look's key how old the difference can be: when the photo was
    written, and of what is gone when the gallery's row of it was. `missing` are the rows that
    nothing but the listing's silence speaks against: their looks are among `looks` until it is
    decided that they are `held`.
    """

    gallery: Gallery
    looks: list[Look]
    misplaced: dict[str, Placed]
    at: float
    oldest: float | None
    since: dict[str, float] = field(default_factory=dict)
    missing: dict[str, Row] = field(default_factory=dict)
    held: int = 0

    @property
    def photos(self) -> int:
        """Photos that can be found."""
        return self.gallery.photo_count

    @property
    def rejected(self) -> int:
        """Photos that cannot be used."""
        return int(np.count_nonzero(self.gallery.known.kind == Kind.REJECTION))

    @property
    def waiting(self) -> int:
        """Photos that cannot be read now."""
        return len(self.gallery.waiting)

    @property
    def newest_sequencer(self) -> str:
        """The highest sequencer in the gallery; empty where there is none."""
        return str(max(self.gallery.known.sequencer.tolist(), default=b"").decode())

    @property
    def removed(self) -> int:
        """Photos that events removed within a day, where these are as many as would be held; 0
        where they are fewer."""
        removed = self.gallery.removed_since(self.at - WINDOW, (Cause.EVENT,))
        return removed if is_mass(removed, self.photos + removed) else 0

    def regroup(self, storage: Storage) -> list[str]:
        """Write what is misplaced where it belongs; the ids of segments that are to be committed.
        Segments that another process writes for the same say the same, so they do no harm."""
        return regroup(storage, self.gallery, self.misplaced, self.at)

    def age(self, *, since: float, now: float) -> float:
        """Seconds that a photo has waited to be found; those before `since` do not count."""
        return 0.0 if self.oldest is None else max(0.0, now - max(self.oldest, since))


def compare(
    catalog: Catalog,
    gallery: Gallery,
    layout: Layout,
    clock: Callable[[], float] = time.time,
    retry: Retry = with_growing_pauses,
    listed: Listed | None = None,
) -> Comparison:
    """Keys to look at again for this gallery's model, so that lost events do no lasting harm.

    Each look's version is just above the row that was seen: any newer event still wins. What waits
    is looked at when it has changed, and when `retry` says so. What has been looked at since an
    earlier listing began, `listed`, is newer than that says, and left to the next one.
    """
    model_id = gallery.commit.model_id
    now, partition = clock(), catalog.partition()
    at = listed.at if listed else now
    known = gallery.known
    waiting = {
        row.key: row for row in map(gallery.waiting.__getitem__, range(len(gallery.waiting)))
    }

    def newer(row: Row, waits: Row | None) -> bool:
        """A row from the future is one of a clock that is wrong, and tells no time."""
        seen = max(row.looked_at, waits.looked_at if waits else 0.0)
        return listed is not None and at <= seen <= now

    unlisted = np.ones(len(known), dtype=bool)
    looks, lacking = [], []
    since: dict[str, float] = {}
    arrived: Counter[str] = Counter()
    misplaced: dict[str, Placed] = {}
    for info, position in _placed(catalog.photos() if listed is None else listed, known.key):
        if position is None:
            looks.append(Look(info.key, UNSEEN.bumped(), model_id))
            lacking.append(info.modified)
            since[info.key] = info.modified
            arrived[info.etag] += 1
            continue
        unlisted[position] = False
        row, waits = known[position], waiting.get(info.key)
        if newer(row, waits):
            continue
        if waits and waits.etag in ("", info.etag):
            if retry(waits, at):
                looks.append(Look(info.key, waits.version.bumped(), model_id, waits.reason))
                since[info.key] = waits.looked_at
            continue
        lacks = row.kind == Kind.TOMBSTONE or row.etag != info.etag
        if lacks:
            row = waits or row  # the later of the two
            lacking.append(info.modified)
            since[info.key] = info.modified
            arrived[info.etag] += 1
            looks.append(Look(info.key, row.version.bumped(), model_id))
        elif row.kind == Kind.PHOTO:
            place = layout.place(info.key, partition)
            if (row.item_id, row.category) != (place.item_id, place.category):
                misplaced[info.key] = place
    missing: dict[str, Row] = {}
    ignored = catalog.ignored()
    for position in np.flatnonzero(unlisted):
        found = known[position]
        key = found.key
        row = waiting.get(key, found)
        if newer(found, waiting.get(key)):
            continue
        if found.kind == Kind.TOMBSTONE and row is found:
            continue
        since[key] = row.looked_at
        if row.kind == Kind.WAITING and not row.etag:  # it is not known to be gone
            if retry(row, at):
                version, cause = row.version.bumped(), Cause.LISTING
                looks.append(Look(key, version, model_id, row.reason, cause))
                if found.kind == Kind.PHOTO and _is_gone(catalog, key):
                    missing[key] = found
            continue
        looks.append(Look(key, row.version.bumped(), model_id, cause=Cause.LISTING))
        if ignored.has(key) or not is_photo(key) or picture_in(key):
            continue  # a rule of ours takes it out, or our own fetching did
        if arrived[found.etag] > 0:
            arrived[found.etag] -= 1  # it was moved
        elif found.kind != Kind.TOMBSTONE:
            missing[key] = found
    return Comparison(gallery, looks, misplaced, at, min(lacking, default=None), since, missing)


def _placed(
    infos: Iterable[ObjectInfo], keys: Bytes
) -> Iterator[tuple[ObjectInfo, np.intp | None]]:
    """Each with its place among these sorted keys; None where it has none."""
    left = iter(infos)
    while some := list(islice(left, _AT_ONCE)):
        named = np.array([info.key.encode() for info in some])
        # NumPy would widen every one of the keys to compare it with a longer name.
        fits = np.strings.str_len(named) <= keys.dtype.itemsize
        there, places = among(named.astype(keys.dtype), keys)
        there &= fits
        for info, known, place in zip(some, there, places, strict=True):
            yield info, place if known else None


def _is_gone(catalog: Catalog, key: str) -> bool:
    """Whether a photo that could not be read is not there: its folder may be what cannot be."""
    with suppress(StorageError):
        return catalog.head(key) is None
    return False


def feed_differs(catalog: Catalog, known: ProductsManifest | None) -> bool:
    """Whether the product file is another than the one that a gallery's look knows. One that cannot
    be read now holds nothing else up."""
    try:
        info = catalog.feed()
    except LensError as error:
        log.warning("the product file cannot be read now: %s", error)
        return False
    if known is None:
        return info is not None or catalog.feed_is_elsewhere
    there = (info.key, info.etag) if info else ("", "")
    if known.unread == there:
        return _can_be_read(catalog, known.file)
    return not knows_file(known, info)


def _can_be_read(catalog: Catalog, file: str) -> bool:
    with suppress(LensError):
        catalog.read_feed(file)
        return True
    return False


def compare_newest(
    catalog: Catalog,
    storage: Storage,
    model_id: str,
    clock: Callable[[], float] = time.time,
    retry: Retry = with_growing_pauses,
    listed: Listed | None = None,
) -> Comparison:
    """Where a model's newest commit differs from the catalog, its product file included, under the
    layout that is in force. Looks at what is held are left out. The catalog is listed now, or was
    `listed` before.

    Raises UsageError for another catalog than the one that the artifacts belong to.
    """
    check_origin(storage, catalog)
    layout, head = read_layout(storage), read_head(storage, model_id)
    comparison = compare(catalog, load_gallery(storage, head), layout, clock, retry, listed)
    comparison = _withhold(comparison, catalog, storage)
    shelf = comparison.gallery.shelf
    if keeps_products(storage) and feed_differs(catalog, shelf.manifest if shelf else None):
        look = _feed_look(model_id)
        comparison.looks.append(look)
        known = storage.head(products_key(model_id, shelf.manifest.id)) if shelf else None
        comparison.since[look.key] = known.modified if known else 0.0
    return comparison


def _withhold(comparison: Comparison, catalog: Catalog, storage: Storage) -> Comparison:
    """The comparison without the looks at what is held."""
    gallery, missing = comparison.gallery, comparison.missing
    decision = decide(
        storage,
        catalog,
        gallery,
        missing,
        of=_own_photos(catalog, gallery),
        at=comparison.at,
        followed=followed_models(storage),
    )
    looks = [
        replace(look, cause=Cause.ALLOWED) if look.key in decision.allowed else look
        for look in comparison.looks
        if look.key not in decision.held
    ]
    photos = sum(missing[key].kind == Kind.PHOTO for key in decision.held)
    return replace(comparison, looks=looks, held=photos)


def _own_photos(catalog: Catalog, gallery: Gallery) -> int:
    """Photos that can be found, without those that were fetched."""
    if catalog.pictures is None:
        return gallery.photo_count
    return sum(picture_in(row.key) is None for row in gallery.photos())


def compare_feed(catalog: Catalog, storage: Storage, model_id: str) -> list[Look]:
    """The look that a model's newest commit lacks at the product file; nothing else is compared."""
    head = read_head(storage, model_id)
    known = read_look(storage, model_id, head.products.id) if head.products else None
    differs = keeps_products(storage) and feed_differs(catalog, known)
    return [_feed_look(model_id)] if differs else []


def _feed_look(model_id: str) -> Look:
    return Look(FEED_KEYS[0], UNSEEN.bumped(), model_id)

"""Reconcile: finds the keys where a gallery differs from the catalog's listing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lens.errors import LensError
from lens.gallery.commits import keeps_products, read_head
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import ProductsManifest, read_look
from lens.gallery.rows import Kind
from lens.gallery.versions import UNSEEN, Look
from lens.photos.catalog import FEED_KEYS, Catalog
from lens.photos.layouts.layout import Layout, Placed
from lens.photos.layouts.stored import read_layout
from lens.pipeline.layouts import regroup
from lens.pipeline.waiting import Retry, with_growing_pauses
from lens.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Where a gallery differs from its catalog: in `looks`, and where `misplaced` photos belong;
    the catalog was listed after `at`. Photos that wait differ only when they are tried again.

    `oldest` is when the oldest photo that the gallery lacks was written, in seconds since the
    epoch; None when it lacks none. Photos that are gone do not count: a listing does not say when
    they went.
    """

    gallery: Gallery
    looks: list[Look]
    misplaced: dict[str, Placed]
    at: float
    oldest: float | None

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
) -> Comparison:
    """Keys to look at again for this gallery's model, so that lost events do no lasting harm.

    Each look's version is just above the row that was seen: any newer event still wins. What waits
    is looked at when it has changed, and when `retry` says so.
    """
    model_id = gallery.commit.model_id
    at, partition = clock(), catalog.partition()
    known = gallery.known
    waiting = {
        row.key: row for row in map(gallery.waiting.__getitem__, range(len(gallery.waiting)))
    }
    unlisted = {key.decode(): position for position, key in enumerate(known.key)}
    looks, lacking = [], []
    misplaced: dict[str, Placed] = {}
    for info in catalog.photos():
        position = unlisted.pop(info.key, None)
        if position is None:
            looks.append(Look(info.key, UNSEEN.bumped(), model_id))
            lacking.append(info.modified)
            continue
        row, waits = known[position], waiting.get(info.key)
        if waits and waits.etag in ("", info.etag):
            if retry(waits, at):
                looks.append(Look(info.key, waits.version.bumped(), model_id, waits.reason))
            continue
        lacks = row.kind == Kind.TOMBSTONE or row.etag != info.etag
        if lacks:
            row = waits or row  # the later of the two
            lacking.append(info.modified)
            looks.append(Look(info.key, row.version.bumped(), model_id))
        elif row.kind == Kind.PHOTO:
            place = layout.place(info.key, partition)
            if (row.item_id, row.category) != (place.item_id, place.category):
                misplaced[info.key] = place
    for key, position in unlisted.items():
        row = waiting.get(key, known[position])
        if row.kind == Kind.WAITING and not row.etag:  # it is not known to be gone
            if retry(row, at):
                looks.append(Look(key, row.version.bumped(), model_id, row.reason))
        elif row.kind != Kind.TOMBSTONE:
            looks.append(Look(key, row.version.bumped(), model_id))
    return Comparison(gallery, looks, misplaced, at, min(lacking, default=None))


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
    return (known.file, known.etag) != ((info.key, info.etag) if info else ("", ""))


def compare_newest(
    catalog: Catalog,
    storage: Storage,
    model_id: str,
    clock: Callable[[], float] = time.time,
    retry: Retry = with_growing_pauses,
) -> Comparison:
    """Where a model's newest commit differs from the catalog, its product file included, under the
    layout that is in force."""
    layout, head = read_layout(storage), read_head(storage, model_id)
    comparison = compare(catalog, load_gallery(storage, head), layout, clock, retry)
    shelf = comparison.gallery.shelf
    if keeps_products(storage) and feed_differs(catalog, shelf.manifest if shelf else None):
        comparison.looks.append(_feed_look(model_id))
    return comparison


def compare_feed(catalog: Catalog, storage: Storage, model_id: str) -> list[Look]:
    """The look that a model's newest commit lacks at the product file; nothing else is compared."""
    head = read_head(storage, model_id)
    known = read_look(storage, model_id, head.products.id) if head.products else None
    differs = keeps_products(storage) and feed_differs(catalog, known)
    return [_feed_look(model_id)] if differs else []


def _feed_look(model_id: str) -> Look:
    return Look(FEED_KEYS[0], UNSEEN.bumped(), model_id)

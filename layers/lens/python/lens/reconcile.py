"""Reconciliation: finds the keys where the gallery differs from the catalog's listing."""

from __future__ import annotations

from typing import NamedTuple

from lens.catalog import Catalog, item_id
from lens.commits import empty_commit, read_head
from lens.gallery import Gallery, load_gallery
from lens.rows import Kind
from lens.storage import Storage
from lens.versions import UNSEEN, Look


class Difference(NamedTuple):
    """A key to look at again, and since when the catalog has what the gallery does not.

    `since` is in seconds since the epoch, None for what was deleted: a listing does not say when.
    """

    look: Look
    since: float | None


def catalog_differences(catalog: Catalog, storage: Storage, model_id: str) -> list[Look]:
    """Where a model's newest commit differs from the catalog."""
    head = read_head(storage, model_id) or empty_commit(model_id)
    return [each.look for each in differences(catalog, load_gallery(storage, head))]


def differences(catalog: Catalog, gallery: Gallery) -> list[Difference]:
    """Keys to look at again for this gallery's model, so that lost events do no lasting harm.

    Each look's version is just above the row that was seen: any newer event still wins.
    """
    model_id = gallery.commit.model_id
    partition = catalog.partition()
    known = gallery.known
    unlisted = {key.decode(): position for position, key in enumerate(known.key)}
    found = []
    for info in catalog.photos():
        position = unlisted.pop(info.key, None)
        if position is None:
            found.append(Difference(Look(info.key, UNSEEN.bumped(), model_id), info.modified))
            continue
        row = known[position]
        moved = row.kind == Kind.PHOTO and row.item_id != item_id(info.key, partition)
        if row.kind == Kind.TOMBSTONE or row.etag != info.etag or moved:
            found.append(Difference(Look(info.key, row.version.bumped(), model_id), info.modified))
    for key, position in unlisted.items():
        row = known[position]
        if row.kind != Kind.TOMBSTONE:
            found.append(Difference(Look(key, row.version.bumped(), model_id), None))
    return found

"""Reconciliation: finds the keys where the gallery differs from the catalog's listing."""

from __future__ import annotations

from lens.catalog import Catalog, item_id
from lens.gallery import Gallery
from lens.rows import Kind
from lens.versions import UNSEEN, Look


def differences(catalog: Catalog, gallery: Gallery) -> list[Look]:
    """Keys to look at again for this gallery's model, so that lost events do no lasting harm.

    Each look's version is just above the row that was seen: any newer event still wins.
    """
    model_id = gallery.commit.model_id
    partition = catalog.partition()
    known = gallery.known
    unlisted = {key.decode(): position for position, key in enumerate(known.key)}
    looks = []
    for info in catalog.photos():
        position = unlisted.pop(info.key, None)
        if position is None:
            looks.append(Look(info.key, UNSEEN.bumped(), model_id))
            continue
        row = known[position]
        moved = row.kind == Kind.PHOTO and row.item_id != item_id(info.key, partition)
        if row.kind == Kind.TOMBSTONE or row.etag != info.etag or moved:
            looks.append(Look(info.key, row.version.bumped(), model_id))
    for key, position in unlisted.items():
        row = known[position]
        if row.kind != Kind.TOMBSTONE:
            looks.append(Look(key, row.version.bumped(), model_id))
    return looks

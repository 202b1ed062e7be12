"""Layouts: decides which layout the catalog has, where the whole catalog is listed, and regroups
the rows that were grouped otherwise. Nothing is embedded for it.

A regrouped row has its photo's vector and says what the listing said: it stands just above the row
that was seen, below any newer event, and was looked at when the listing began.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import numpy as np

from lens.feed.pictures import picture_in
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Rows
from lens.gallery.segments import Segment, write_segment
from lens.photos.catalog import Catalog
from lens.photos.layouts.layout import Layout, Placed
from lens.photos.layouts.recognition import recognize
from lens.photos.layouts.stored import read_layout, store_layout
from lens.storage import ObjectInfo, Storage

log = logging.getLogger(__name__)

_SEGMENT_ROWS = 8_192


def understand(
    catalog: Catalog, given: str, before: Layout, listed: Iterable[ObjectInfo] | None = None
) -> Layout:
    """The catalog's layout: what was given (LENS_LAYOUT), else what its keys say, where it was
    `before`. Its photos are listed now, or were `listed` before. UsageError
    when what was given cannot be understood."""
    layout = Layout(given.strip())
    if layout.given:
        _ = layout.template
        return layout
    partition = catalog.partition()
    own = catalog.own_photos() if listed is None else _own(catalog, listed)
    keys = (info.key for info in own if info.key not in partition)
    return recognize(keys, before)


def _own(catalog: Catalog, listed: Iterable[ObjectInfo]) -> Iterable[ObjectInfo]:
    """Those that were not fetched."""
    if catalog.pictures is None:
        return listed
    return (info for info in listed if picture_in(info.key) is None)


def decide_layout(
    catalog: Catalog, storage: Storage, given: str, listed: Iterable[ObjectInfo] | None = None
) -> Layout:
    """Understand the catalog's layout and put it in force; what is in force then."""
    before = read_layout(storage)
    wanted = understand(catalog, given, before, listed)
    layout = store_layout(storage, wanted)
    if layout != wanted:
        log.warning("the catalog's layout, %s, holds an hour after the upgrade", wanted.text)
    if layout != before:
        log.warning("the catalog's layout is now %s; it was %s", layout.text, before.text)
    return layout


def regroup(
    storage: Storage, gallery: Gallery, places: Mapping[str, Placed], looked_at: float
) -> list[str]:
    """Write the rows of these photos with the item and category where they belong; the ids of the
    new segments, which are still to be committed."""
    written = []
    keys = np.array(sorted(key.encode() for key in places))
    for start in range(0, len(keys), _SEGMENT_ROWS):
        found = gallery.segment_of(keys[start : start + _SEGMENT_ROWS])
        rows = [found.rows[position] for position in range(len(found.rows))]
        moved = [
            row._replace(
                version=row.version.bumped(),
                looked_at=looked_at,
                item_id=places[row.key].item_id,
                category=places[row.key].category,
            )
            for row in rows
        ]
        if moved:
            segment = Segment(Rows.of(moved), found.vectors)
            written.append(write_segment(storage, gallery.commit.model_id, segment))
    if written:
        log.warning("%d photos are grouped anew; none is embedded again", len(places))
    return written

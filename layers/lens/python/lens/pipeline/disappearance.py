"""Disappearance: decides whether what a listing lacks is gone, or so much that it is held until the
owner says so: a drive that is not mounted and a slip in a setting look like a shop that has removed
its photos.

What passes within a day never is a mass: what listings removed before counts too.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lens.gallery.gallery import Gallery
from lens.gallery.holds import Hold, change_holds, read_holds
from lens.gallery.rows import Cause, Kind, Row
from lens.photos.catalog import Catalog, is_photo
from lens.storage import FileStorage, Storage

log = logging.getLogger(__name__)

WINDOW = 86_400.0  # seconds


@dataclass(frozen=True)
class Decision:
    """Of the keys that are missing: those that stay as they are, and those that the owner lets go.
    The others go because they are few."""

    held: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


def is_mass(gone: int, of: int) -> bool:
    """Whether so many photos of all that there were are more than shops remove in a day: all; more
    than half of 20 or more; a tenth where that is 100 or more."""
    half = of >= 20 and 2 * gone > of
    tenth = gone >= 100 and 10 * gone >= of
    return gone > 0 and (gone >= of or half or tenth)


def decide(
    storage: Storage,
    catalog: Catalog,
    gallery: Gallery,
    missing: Mapping[str, Row],
    *,
    of: int,
    at: float,
    followed: Collection[str],
) -> Decision:
    """Decide about the rows that the catalog's listing at `at` lacks: `of` photos are in the
    gallery. What is decided is written down: a hold stays until its keys are back or gone.

    It is called for each followed model's gallery; what is held for one is held for all.
    """
    holds = _still_missing(storage, gallery.commit.model_id, missing, followed)
    moved = _under_another_key(
        gallery, {key: missing[key] for key in _keys(holds) & missing.keys()}, missing, at
    )
    missing = {key: row for key, row in missing.items() if key not in moved}
    if moved:
        holds = _still_missing(storage, gallery.commit.model_id, missing, followed)
    allowed = _keys(hold for hold in holds if hold.allowed) & missing.keys()
    held = _keys(hold for hold in holds if not hold.allowed) & missing.keys()
    new = {key: row for key, row in missing.items() if key not in held | allowed}
    photos = {key for key, row in new.items() if row.kind == Kind.PHOTO}
    others = sum(missing[key].kind == Kind.PHOTO for key in held | allowed)
    before = gallery.removed_since(at - WINDOW, _counted(catalog))
    there = of - others + before
    if not is_mass(len(photos) + before, there):
        return Decision(held, allowed)
    photos -= _under_another_key(gallery, {key: new[key] for key in photos}, missing, at)
    if not photos or not is_mass(len(photos) + before, there):
        return Decision(held, allowed)
    keys = [key for key, row in new.items() if key in photos or row.kind != Kind.PHOTO]
    hold = Hold.on(keys, model_id=gallery.commit.model_id, since=at, photos=len(photos), of=there)
    if all(each.id != hold.id for each in holds):
        change_holds(storage, lambda old: (*(h for h in old if h.id != hold.id), hold))
        log.warning(
            "%d of %d photos are gone from %s: they are held, and found as before; "
            "`lens status` says how to let them go",
            hold.photos,
            hold.of,
            catalog.storage.location,
        )
    return Decision(held | set(keys), allowed)


def many_gone(catalog: Catalog, gallery: Gallery, keys: Iterable[str], at: float) -> bool:
    """Whether so many of these keys are photos of the gallery and gone from the catalog that only a
    comparison with the listing may decide about them."""
    if gallery.photo_count == 0:
        return False
    asked = np.array(sorted({key.encode() for key in keys if is_photo(key)}), dtype=np.bytes_)
    known = gallery.segment_of(asked).rows.key if len(asked) else ()
    gone = sum(catalog.head(key.decode()) is None for key in known)
    if gone == 0:
        return False
    before = gallery.removed_since(at - WINDOW, _counted(catalog))
    return is_mass(gone + before, gallery.photo_count + before)


def _counted(catalog: Catalog) -> tuple[Cause, ...]:
    """The causes of removals that count. A bucket's own events are facts; of a folder's events,
    which are seen from here, nobody knows."""
    folder = isinstance(catalog.storage, FileStorage)
    return (Cause.LISTING, Cause.EVENT) if folder else (Cause.LISTING,)


def _keys(holds: Iterable[Hold]) -> frozenset[str]:
    return frozenset().union(*(hold.keys for hold in holds))


def _still_missing(
    storage: Storage, model_id: str, missing: Mapping[str, Row], followed: Collection[str]
) -> tuple[Hold, ...]:
    """The holds, without the keys that this model's gallery misses no more. Those of a model that
    is followed no more are looked after by every other."""

    def shrunk(hold: Hold) -> Hold | None:
        if hold.model_id != model_id and hold.model_id in followed:
            return hold
        keys = hold.keys
        still = keys & missing.keys()
        return hold if still == keys else hold.only(still) if still else None

    def shrink(holds: tuple[Hold, ...]) -> tuple[Hold, ...]:
        return tuple(filter(None, map(shrunk, holds)))

    holds = read_holds(storage)
    return holds if shrink(holds) == holds else change_holds(storage, shrink)


def _under_another_key(
    gallery: Gallery, photos: Mapping[str, Row], missing: Mapping[str, Row], at: float
) -> set[str]:
    """Those of the missing photos whose content was found under another key since: they were moved.
    As many as were found: two copies of which one is left are not both moved."""
    if not photos:
        return set()
    known = gallery.known
    wanted = np.array(sorted({row.photo_id.encode() for row in photos.values()}))
    recent = (known.kind == Kind.PHOTO) & (known.looked_at > at - WINDOW)
    found: dict[str, list[float]] = {}
    for position in np.flatnonzero(recent & np.isin(known.photo_id, wanted)):
        row = known[position]
        if row.key not in missing:
            found.setdefault(row.photo_id, []).append(row.looked_at)
    moved: set[str] = set()
    taken: Counter[str] = Counter()
    for key, row in sorted(photos.items()):
        later = sum(each > row.looked_at for each in found.get(row.photo_id, ()))
        if later > taken[row.photo_id]:
            taken[row.photo_id] += 1
            moved.add(key)
    return moved

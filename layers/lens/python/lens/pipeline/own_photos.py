"""Own photos: whether all that the shop has itself have gone at once.

That is sooner a drive that is not mounted than a shop without photos, so for a day nothing is
concluded from it.
"""

from __future__ import annotations

from lens.feed.pictures import picture_in
from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Kind
from lens.photos.catalog import Catalog, is_photo
from lens.storage import Storage

BELIEVED = 86_400.0  # seconds after which it is taken for what the shop wants


def absent_since(
    catalog: Catalog, artifacts: Storage, held: float | None, now: float
) -> float | None:
    """Since when there is not one, where there were some; None otherwise. `held` is what an earlier
    call said."""
    if next(catalog.own_photos(), None) is not None:
        return None
    if held is not None:
        return held
    return now if _had_some(artifacts, now - BELIEVED) else None


def is_doubted(since: float | None, now: float) -> bool:
    """Whether they may come back as they went."""
    return since is not None and now - since < BELIEVED


def _had_some(artifacts: Storage, since: float) -> bool:
    """Whether the live gallery has some, or has seen them go since then."""
    current = read_current(artifacts)
    if current is None:
        return False
    known = load_gallery(artifacts, read_head(artifacts, current.live)).known
    there = (known.kind != Kind.TOMBSTONE) | (known.looked_at >= since)
    keys = map(bytes.decode, known.key[there].tolist())
    return any(is_photo(key) and picture_in(key) is None for key in keys)

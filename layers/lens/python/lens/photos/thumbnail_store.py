"""Thumbnail store: where small JPEGs lie, named by their photo's content, and their caching."""

from __future__ import annotations

from lens.storage import Storage

PREFIX = "thumbs/"
FOREVER = "public, max-age=31536000, immutable"


def thumb_key(photo_id: str) -> str:
    """Where a photo's thumbnail lies; its content never changes. Without a suffix, because an
    address is the setting `thumb_url` and the id, behind the API and behind a CDN."""
    return f"{PREFIX}{photo_id}"


def write_thumbnail(storage: Storage, photo_id: str, data: bytes) -> None:
    """Write a thumbnail, even over itself: the collector spares what was written lately."""
    storage.write(thumb_key(photo_id), data, content_type="image/jpeg", cache_control=FOREVER)

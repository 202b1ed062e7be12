"""Thumbnail store: where small JPEGs lie, named by their photo's content, and their caching."""

from __future__ import annotations

from lens.storage import Storage

PREFIX = "thumbs/"
# A page that never reached the disk reads as zeros. Of those no JPEG has as many in a row.
_LOST = bytes(512)
FOREVER = "public, max-age=31536000, immutable"


def thumb_key(photo_id: str) -> str:
    """Where a photo's thumbnail lies; its content never changes. Without a suffix, because an
    address is the setting `thumb_url` and the id, behind the API and behind a CDN."""
    return f"{PREFIX}{photo_id}"


def write_thumbnail(storage: Storage, photo_id: str, data: bytes) -> None:
    """Write a thumbnail, even over itself: the collector spares what was written lately.

    It is not synced: the photo is there, and whoever finds a thumbnail broken makes it again.
    """
    storage.write(
        thumb_key(photo_id),
        data,
        content_type="image/jpeg",
        cache_control=FOREVER,
        durable=False,
    )


def is_whole(data: bytes) -> bool:
    """Whether a thumbnail has all its bytes: a power cut can leave its end or a page of it out."""
    return data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9") and _LOST not in data

"""The thumbnails' keys: where a photo's thumbnail lies, by its content."""

from __future__ import annotations

PREFIX = "thumbs/"


def thumb_key(photo_id: str) -> str:
    """Where a photo's thumbnail lies; its content never changes. Without a suffix, because an
    address is the setting `thumb_url` and the id, behind the API and behind a CDN."""
    return f"{PREFIX}{photo_id}"

"""Pictures: the addresses that a product names, and the keys of the photos fetched from them.

A key carries the item, as a folder of the shop's own would, and the address: photos of products are
told by their keys, and a picture whose address has changed is another photo.
"""

from __future__ import annotations

import hashlib
import re

from lens.feed.product import Product

_KEY = re.compile(r"(?:[^/]+/)+feed-(?P<id>[0-9a-f]{16})\.(?:jpg|png|webp|avif|heic)")
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]+")  # in the name of a folder
_SEGMENT_BYTES = 100
_LEVELS = 5


def addresses_of(product: Product) -> list[str]:
    """The pictures that a product names by address, the face first, written as one asks for them;
    a path without a host is none."""
    return [
        image.replace(" ", "%20")
        for image in map(str.strip, product.images)
        if "://" in image or image.startswith("//")
    ]


def picture_id(address: str) -> str:
    """An address's name: among a million, two are one with a chance of 1 in 37 million."""
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()[:16]


def picture_folder(product: Product) -> str:
    """Where a product's pictures lie: its category, then its item, as in a shop's own folders."""
    levels = [*product.category.split("/")[:_LEVELS], product.item_group_id or product.id]
    return "/".join(filter(None, map(_segment, levels)))


def picture_key(folder: str, picture: str, suffix: str) -> str:
    """The key of the photo that was fetched from an address; the suffix is that of its bytes."""
    return f"{folder}/feed-{picture}{suffix}"


def picture_in(key: str) -> str | None:
    """The picture that a key names; None for a key that `picture_key` cannot have made."""
    found = _KEY.fullmatch(key)
    return found["id"] if found else None


def _segment(name: str) -> str:
    """A folder's name: never hidden, and another one for another name."""
    if not name:
        return ""
    plain = _UNSAFE.sub("-", name).strip(" ").lstrip(".").encode("utf-8", "replace")
    if len(plain) <= _SEGMENT_BYTES and re.search(rb"[\w\x80-\xff]", plain):
        return plain.decode()
    told = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{plain[:_SEGMENT_BYTES].decode('utf-8', 'ignore')}-{told}"

"""Names: what a product may be called in a catalog, and what a photo's key may call its product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from lens.feed.pictures import addresses_of, picture_id, picture_in
from lens.feed.product import Product

# A slash too: no folder is called `SKU/1`.
_SEPARATORS = re.compile(r"[\s_./\\-]+")
# What follows a product's id in a file's name: a number, a color, a view.
_LAST_PART = re.compile(r"[\s_.()-]+[^\s_.()-]*[\s_.()-]*$")


def item_of(product: Product) -> str:
    """The item that a product is a variant of; itself where it has none."""
    return product.item_group_id or product.id


def names_of_product(product: Product) -> tuple[str, ...]:
    """Every name of a product; its variants share `group:`, and may share pictures."""
    names = [f"id:{_plain(product.id)}"]
    if product.item_group_id:
        names.append(f"group:{_plain(product.item_group_id)}")
    for image in product.images:
        names += _names_of_picture(image)
    names += (f"picture:{picture_id(address)}" for address in addresses_of(product))
    return tuple(dict.fromkeys(normalize("NFC", name.casefold()) for name in names))


def names_of_face(product: Product) -> tuple[str, ...]:
    """What the picture is called that a product names first, the surest name first."""
    first = replace(product, images=product.images[:1])
    names = [f"picture:{picture_id(address)}" for address in addresses_of(first)]
    for image in first.images:
        names += _names_of_picture(image)
    return tuple(normalize("NFC", name.casefold()) for name in names)


@lru_cache(1_024)  # variants share pictures
def _names_of_picture(image: str) -> tuple[str, ...]:
    try:
        path = unquote(urlsplit(image).path).lstrip("/")
    except ValueError:  # `https://[` is no address, and no picture is called so
        return ()
    return (f"photo:{path}", f"file:{PurePosixPath(path).name}") if path else ()


def names_in_key(key: str) -> Iterator[str]:
    """What a photo's key may call its product, the surest first: the picture that a feed names,
    then an id, then a group's; of these the nearest folder first, the whole file name before a
    part of it."""
    yield from _names_in(key)
    # A Mac writes names in another form of Unicode than shops' programs do.
    if not key.isascii() and (typed := normalize("NFC", key)) != key:
        yield from _names_in(typed)


def _names_in(key: str) -> Iterator[str]:
    if picture := picture_in(key):
        yield f"picture:{picture}"
    key = key.casefold()
    yield f"photo:{key}"
    # Not by pathlib: the names of a hundred thousand keys are made at once.
    *folders, file = [part for part in key.split("/") if part] or [""]
    yield f"file:{file}"
    stem, _, ending = file.rpartition(".")
    if not stem or not ending:
        stem = file
    words = [_plain(word) for word in (*reversed(folders), *_shorter(stem))]
    for kind in ("id", "group"):
        yield from (f"{kind}:{word}" for word in words)


def names_of_item(item_id: str) -> tuple[str, str]:
    """What a product's or a group's id is called."""
    plain = _plain(item_id.casefold())
    return f"id:{plain}", f"group:{plain}"


def names_of_photo(key: str, item_id: str) -> Iterator[str]:
    """What the product of a photo may be called, the surest first: by its key, then by the item
    that the catalog takes it for."""
    yield from names_in_key(key)
    yield from names_of_item(item_id)


def _plain(word: str) -> str:
    """`SKU-1_red`, `SKU 1 red` and `SKU.1-red` are written by different programs for one thing."""
    return _SEPARATORS.sub("-", word)


def _shorter(stem: str) -> Iterator[str]:
    """`sku-1_red_2`, `sku-1_red`, `sku-1`, `sku`."""
    while stem:
        yield stem
        last = _LAST_PART.search(stem)
        stem = stem[: last.start()] if last else ""

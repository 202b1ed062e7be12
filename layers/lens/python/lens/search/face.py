"""The face: the photo that a shop shows first of a product, where another one was found."""

from __future__ import annotations

from pathlib import PurePosixPath

from lens.feed.names import names_in_key, names_of_face
from lens.feed.product import Product
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Row


def face_of(gallery: Gallery, row: Row, product: Product) -> Row | None:
    """Of the photos of a photo's item the one that the product file names first for a product; None
    where it is this photo, or where none is told to be it."""
    names = names_of_face(product)
    if not names or any(name in names for name in names_in_key(row.key)):
        return None
    others = [other for other in gallery.item(row.item_id) if other.key != row.key]
    for name in names:
        called = [other for other in others if name in names_in_key(other.key)]
        # `front.jpg` may lie in every color's folder.
        beside = [other for other in called if _folder(other) == _folder(row)]
        if len(called) == 1 or len(beside) == 1:
            return (beside or called)[0]
    return None


def _folder(row: Row) -> PurePosixPath:
    return PurePosixPath(row.key).parent

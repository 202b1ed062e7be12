"""Called: which item an id means; a shop knows its own ids, and not the catalog's paths."""

from __future__ import annotations

from lens.errors import NotFoundError
from lens.feed.names import names_of_item
from lens.gallery.gallery import Gallery
from lens.search.joins import Joins

_NAMED = 3  # of several


def item_called(gallery: Gallery, joins: Joins, name: str) -> str:
    """The catalog's item of this id; else what shows the product, or the group of products, that
    the product file calls so; else the one item whose folder is called so, wherever it lies. Itself
    where it is none of these, as a photo's id is. Raises NotFoundError where several folders are
    called so."""
    if gallery.has_item(name) or gallery.photo(name):
        return name
    if gallery.shelf is not None:
        found = gallery.shelf.assortment.find(names_of_item(name))
        photos = joins.of(gallery).photos_of(found) if found else ()
        for row in sorted(photos, key=lambda row: row.key)[:1]:
            return row.item_id
    items = sorted(gallery.items_called(name))
    if len(items) > 1:
        more = ", ..." if len(items) > _NAMED else ""
        raise NotFoundError(
            f"{len(items)} items are called {name!r}: {', '.join(items[:_NAMED])}{more}; name one"
        )
    return items[0] if items else name

"""Feed: looks at the shop's product file and writes what has changed in it since a model's head.

The file is looked at as a photo is: an event means "look at it", and what is there then counts.
"""

from __future__ import annotations

from collections.abc import Iterable

from lens.errors import NotFoundError, UsageError
from lens.feed.encoding import encode
from lens.feed.feed import Feed, read_feed
from lens.feed.names import item_of, names_of_product
from lens.feed.product import Product
from lens.gallery.assortment import Assortment, Entry, Products, changes_between
from lens.gallery.commits import read_head
from lens.gallery.product_tables import (
    ProductsManifest,
    RowProblem,
    load_shelf,
    new_look_id,
    read_look,
    write_look,
    write_table,
)
from lens.photos.catalog import Catalog
from lens.storage import Storage

# A table of changes is looked through beside the whole one: it may have this share of it.
_CHANGES_SHARE = 1 / 8
_FEW_CHANGES = 64
_SHOWN_PROBLEMS = 50


def look_at_feed(storage: Storage, catalog: Catalog, model_id: str) -> str | None:
    """Read the product file, and write what differs from a model's head; the key of what was
    written, None where nothing differs. A file that cannot be used is written down as such, and the
    products stay as they were."""
    # The head first: whatever is committed meanwhile makes this look void, and another follows.
    head = read_head(storage, model_id)
    before = read_look(storage, model_id, head.products.id) if head.products else None
    found = catalog.feed()
    file, etag = (found.key, found.etag) if found else ("", "")
    if before is None and found is None:
        return None
    if before is not None and (before.file, before.etag) == (file, etag):
        return None
    manifest = ProductsManifest(
        id=new_look_id(),
        model_id=model_id,
        previous=before.id if before else None,
        file=file,
        etag=etag,
    )
    if found is None:
        return write_look(storage, manifest)
    try:
        data, info = catalog.read_feed(found.key)
        feed = read_feed(found.key, data)
    except NotFoundError:
        return None  # it is gone by now: that has an event of its own
    except UsageError as error:
        kept = {"products": before.products, "dialect": before.dialect} if before else {}
        tables = {"whole": before.whole, "changes": before.changes} if before else {}
        update = {"trouble": str(error), **kept, **tables}
        return write_look(storage, manifest.model_copy(update=update))
    manifest = manifest.model_copy(update={"etag": info.etag, **_said(feed)})
    return write_look(storage, _with_tables(storage, manifest, before, feed))


def entries_of(products: Iterable[Product]) -> list[Entry]:
    """Products as the gallery keeps them."""
    return [
        Entry(product.id, item_of(product), names_of_product(product), encode(product), place)
        for place, product in enumerate(products)
    ]


def _with_tables(
    storage: Storage, manifest: ProductsManifest, before: ProductsManifest | None, feed: Feed
) -> ProductsManifest:
    entries = entries_of(feed.products)
    if before is None or before.whole is None:
        return _whole(storage, manifest, entries)
    old = load_shelf(storage, before).assortment
    changes = changes_between(old.whole, entries)
    most = max(_FEW_CHANGES, _CHANGES_SHARE * len(old.whole))
    if len(changes) + len(changes.gone) > most:
        return _whole(storage, manifest, entries)
    tables: dict[str, object] = {"whole": before.whole, "changes": None}
    if len(changes) or len(changes.gone):
        same = before.changes is not None and _equal(changes, old)
        tables["changes"] = (
            before.changes
            if same
            else write_table(storage, manifest.model_id, manifest.id, changes)
        )
    return manifest.model_copy(update=tables)


def _equal(changes: Products, old: Assortment) -> bool:
    return all(
        (ours == theirs).all() if ours.shape == theirs.shape else False
        for ours, theirs in zip(
            changes.columns().values(), old.changes.columns().values(), strict=True
        )
    )


def _whole(storage: Storage, manifest: ProductsManifest, entries: list[Entry]) -> ProductsManifest:
    table = write_table(storage, manifest.model_id, manifest.id, Products.of(entries))
    return manifest.model_copy(update={"whole": table, "changes": None})


def _said(feed: Feed) -> dict[str, object]:
    shown = feed.problems[:_SHOWN_PROBLEMS]
    return {
        "dialect": feed.dialect,
        "products": len(feed.products),
        "left_out": feed.left_out,
        "problems": len(feed.problems),
        "first_problems": tuple(
            RowProblem(line=each.line, product=each.product, field=each.field, what=each.what)
            for each in shown
        ),
    }

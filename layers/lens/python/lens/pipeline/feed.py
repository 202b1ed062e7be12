"""Feed: looks at the shop's product file and writes what has changed in it since a model's head.

The file is looked at as a photo is: an event means "look at it", and what is there then counts.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from lens.errors import LensError, NotFoundError, UnreadableError, UsageError
from lens.feed.encoding import encode
from lens.feed.feed import READING, Reading
from lens.feed.names import item_of, names_of_product
from lens.feed.product import Product
from lens.gallery.assortment import Entry, Products
from lens.gallery.commits import keeps_products, read_head
from lens.gallery.product_tables import (
    UNREAD,
    Fingerprints,
    ProductsManifest,
    RowProblem,
    TableRef,
    load_shelf,
    new_look_id,
    read_fingerprints,
    read_look,
    write_fingerprints,
    write_look,
    write_table,
)
from lens.photos.catalog import Catalog
from lens.storage import ObjectInfo, Storage

log = logging.getLogger(__name__)

# A table of changes is looked through beside the whole one: it may have this share of it.
_CHANGES_SHARE = 1 / 8
_FEW_CHANGES = 64
_SHOWN_PROBLEMS = 50


def look_at_feed(storage: Storage, catalog: Catalog, model_id: str) -> str | None:
    """Read the product file, and write what differs from a model's head; the key of what was
    written, None where nothing differs. A file that cannot be used, or be read now, is written down
    as such, and the products stay as they were."""
    if not keeps_products(storage):
        return None
    # The head first: whatever is committed meanwhile makes this look void, and another follows.
    head = read_head(storage, model_id)
    before = read_look(storage, model_id, head.products.id) if head.products else None
    try:
        found = catalog.feed()
    except LensError as error:
        log.warning("the product file cannot be read now: %s", error)
        return None
    file, etag = (found.key, found.etag) if found else ("", "")
    missing = found is None and catalog.feed_is_elsewhere
    if before is None and found is None and not missing:
        return None
    if before is not None and knows_file(before, found):
        return None
    manifest = ProductsManifest(
        id=new_look_id(),
        model_id=model_id,
        previous=before.id if before else None,
        file=file,
        etag=etag,
        reading=READING,
    )
    if missing:
        return write_look(storage, _kept(manifest, before, "it is not where it should be"))
    if found is None:
        return write_look(storage, manifest)
    try:
        data, info = catalog.read_feed(found.key)
        manifest = manifest.model_copy(update={"etag": info.etag})
        return write_look(storage, _with_tables(storage, manifest, before, data))
    except NotFoundError:
        return None  # it is gone by now: that has an event of its own
    except UsageError as error:
        return write_look(storage, _kept(manifest, before, str(error)))
    except UnreadableError as error:
        kept = _kept(manifest.model_copy(update={"etag": UNREAD + etag}), before, str(error))
        if before and (before.unread, before.trouble) == (kept.unread, kept.trouble):
            return None
        return write_look(storage, kept)


def knows_file(look: ProductsManifest, found: ObjectInfo | None) -> bool:
    """Whether a look is one at this file, or at none, and understood what this release does: after
    an upgrade the file is read again although it did not change."""
    if (look.file, look.etag) != ((found.key, found.etag) if found else ("", "")):
        return False
    return found is None or look.reading >= READING


def _kept(
    manifest: ProductsManifest, before: ProductsManifest | None, trouble: str
) -> ProductsManifest:
    """What a look found that could not use the file: the products of the look before."""
    log.warning("the product file cannot be used, so products stay as they are: %s", trouble)
    if before is None:
        return manifest.model_copy(update={"trouble": trouble})
    kept = {name: getattr(before, name) for name in ("products", "dialect", "whole", "changes")}
    return manifest.model_copy(update={"trouble": trouble, **kept})


def entries_of(products: Iterable[Product]) -> list[Entry]:
    """Products as the gallery keeps them."""
    return [_entry(product, place) for place, product in enumerate(products)]


def _entry(product: Product, place: int) -> Entry:
    return Entry(product.id, item_of(product), names_of_product(product), encode(product), place)


def _with_tables(
    storage: Storage, manifest: ProductsManifest, before: ProductsManifest | None, data: bytes
) -> ProductsManifest:
    """What the file says; UsageError when it cannot be used."""
    changed = None
    if before is not None and before.whole is not None:
        changed = _changed(storage, manifest, before, before.whole, data)
    return changed or _whole(storage, manifest, data)


def _changed(
    storage: Storage,
    manifest: ProductsManifest,
    before: ProductsManifest,
    whole: TableRef,
    data: bytes,
) -> ProductsManifest | None:
    """What the file says, beside an earlier table; None where a new one is to be written: too much
    is different, or nothing tells what is."""
    known = read_fingerprints(storage, manifest.model_id, whole.id, READING)
    if known is None:
        return None
    old = load_shelf(storage, before).assortment
    most = max(_FEW_CHANGES, _CHANGES_SHARE * len(old.whole))
    reading = Reading(manifest.file, data, frozenset(known.tolist()))
    different: list[Entry] = []
    for read in reading.products():
        entry = _entry(read.product, read.place)
        if not old.whole.has(entry):
            different.append(entry)
        if len(different) > most:
            return None
    gone = old.whole.not_among(reading.ids)
    if len(different) + len(gone) > most:
        return None
    changes = Products.of(different, gone)
    tables: dict[str, object] = {"whole": before.whole, "changes": before.changes}
    if not _equal(changes, old.changes):
        nothing = not len(changes) and not len(changes.gone)
        tables["changes"] = (
            None if nothing else write_table(storage, manifest.model_id, manifest.id, changes)
        )
    return manifest.model_copy(update={**tables, **_said(reading)})


def _equal(ours: Products, theirs: Products) -> bool:
    columns = zip(ours.columns().values(), theirs.columns().values(), strict=True)
    return all(np.array_equal(mine, other) for mine, other in columns)


def _whole(storage: Storage, manifest: ProductsManifest, data: bytes) -> ProductsManifest:
    products, known, said = _all_of(manifest.file, data)
    write_fingerprints(storage, manifest.model_id, manifest.id, READING, known)
    table = write_table(storage, manifest.model_id, manifest.id, products)
    return manifest.model_copy(update={"whole": table, "changes": None, **said})


def _all_of(name: str, data: bytes) -> tuple[Products, Fingerprints, dict[str, object]]:
    """A file's products, the fingerprints of those that can be used as they stand, and what it says
    of itself."""
    reading = Reading(name, data)
    known = array("Q")

    def entries() -> Iterator[Entry]:
        for read in reading.products():
            if read.fingerprint is not None:
                known.append(read.fingerprint)
            yield _entry(read.product, read.place)

    products = Products.of(entries())
    return products, np.array(known, np.uint64), _said(reading)


def _said(reading: Reading) -> dict[str, object]:
    """What a file says of itself once it is read; UsageError when it is empty: a file half written,
    sooner than a shop that sells nothing any more, which takes its file away."""
    if not reading.ids:
        raise UsageError("it has no product that can be used")
    problems = reading.problems
    return {
        "dialect": reading.dialect,
        "products": len(reading.ids),
        "left_out": reading.left_out,
        "problems": len(problems),
        "first_problems": tuple(
            RowProblem(line=each.line, product=each.product, field=each.field, what=each.what)
            for each in problems[:_SHOWN_PROBLEMS]
        ),
    }

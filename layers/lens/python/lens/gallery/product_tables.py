"""Product tables: the files of an assortment, and the manifest that says what a look at the shop's
product file found. A commit names a manifest; every file is written once."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, DamagedError, MissingError, NotFoundError
from lens.gallery.assortment import NO_PRODUCTS, Assortment, Products
from lens.gallery.mapped_arrays import arrays_in
from lens.storage import Storage, write_once
from lens.storage.documents import Document, Record, read_document, write_document
from lens.storage.mapped import CHECKED_IN_PLACE, map_object

log = logging.getLogger(__name__)

Fingerprints = NDArray[np.uint64]

PREFIX = "products/"
_MANIFEST, _TABLE, _FINGERPRINTS = "manifest.json", "table.npz", "fingerprints.npz"
UNREAD = "unread "  # before the ETag of a file that could not be read


class TableRef(Record):
    """A table of products, in the folder of the look that wrote it."""

    id: str
    products: int
    sha256: str
    size: int


class RowProblem(Record):
    """What of a line of the product file cannot be used."""

    line: int
    product: str
    field: str
    what: str


class ProductsManifest(Document):
    """What a look at the product file found.

    `previous` is the look that the model's head named when this one began: the head goes on from
    there or not at all. With a `trouble` the file cannot be used, and the tables are the earlier
    look's.
    """

    id: str
    model_id: str
    previous: str | None
    file: str  # empty: there is none
    etag: str
    reading: int = 0  # lens.feed.feed.READING of the release that read it
    dialect: str = ""
    products: int = 0
    trouble: str = ""
    left_out: dict[str, int] = {}
    problems: int = 0
    first_problems: tuple[RowProblem, ...] = ()
    whole: TableRef | None = None
    changes: TableRef | None = None

    @property
    def unread(self) -> tuple[str, str] | None:
        """The file that could not be read, and its ETag; None where one was, or there is none."""
        is_unread = self.etag.startswith(UNREAD)
        return (self.file, self.etag.removeprefix(UNREAD)) if is_unread else None


@dataclass(frozen=True)
class Shelf:
    """What a look found, with its tables in memory by their folder."""

    manifest: ProductsManifest
    tables: Mapping[str, Products]

    @cached_property
    def assortment(self) -> Assortment:
        """The products."""
        refs = (self.manifest.whole, self.manifest.changes)
        whole, changes = (self.tables[ref.id] if ref else NO_PRODUCTS for ref in refs)
        return Assortment(whole, changes)


def products_key(model_id: str, look_id: str) -> str:
    """Where a look's manifest lies in the artifacts."""
    return _key(model_id, look_id, _MANIFEST)


def parse_products_key(key: str) -> tuple[str, str]:
    """(model_id, look_id) of the key of a look's file; ArtifactError for any other key."""
    parts = key.removeprefix(PREFIX).split("/")
    if not key.startswith(PREFIX) or len(parts) != 3:
        raise ArtifactError(f"{key} is not the name of a product table's file")
    return parts[0], parts[1]


def is_manifest_key(key: str) -> bool:
    """Whether a key is that of a look's manifest, which is written last."""
    return key.startswith(PREFIX) and key.endswith(f"/{_MANIFEST}")


def new_look_id() -> str:
    """A name that was never used."""
    return uuid.uuid4().hex


def write_table(storage: Storage, model_id: str, look_id: str, products: Products) -> TableRef:
    """Write a look's table."""
    out = BytesIO()
    # Not compressed, so that a searcher can map it.
    np.savez(out, allow_pickle=False, **products.columns())
    data = out.getvalue()
    write_once(storage, _key(model_id, look_id, _TABLE), data)
    return TableRef(
        id=look_id,
        products=len(products),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
    )


def write_fingerprints(
    storage: Storage, model_id: str, look_id: str, reading: int, fingerprints: Fingerprints
) -> None:
    """Write what each product of a look's table was in the file, as this `reading` understands it.
    It may be lost: then the next look reads every row and writes another table."""
    out = BytesIO()
    np.savez(out, allow_pickle=False, reading=np.array(reading), fingerprints=fingerprints)
    write_once(storage, _key(model_id, look_id, _FINGERPRINTS), out.getvalue())


def check_fingerprints(storage: Storage, key: str) -> None:
    """DamagedError when this key's fingerprints are damaged; NotFoundError when they are gone."""
    data, _ = storage.read(key)
    try:
        found = np.load(BytesIO(data), allow_pickle=False)
        int(found["reading"]), np.asarray(found["fingerprints"], np.uint64)
    except Exception as error:  # damaged bytes end NumPy and zipfile in many ways
        raise DamagedError(key, " ".join(str(error).split()) or type(error).__name__) from error


def is_fingerprints_key(key: str) -> bool:
    """Whether a key is that of a look's fingerprints."""
    return key.startswith(PREFIX) and key.endswith(f"/{_FINGERPRINTS}")


def read_fingerprints(
    storage: Storage, model_id: str, look_id: str, reading: int
) -> Fingerprints | None:
    """What was written of a look's table; None where this reading has none."""
    key = _key(model_id, look_id, _FINGERPRINTS)
    try:
        found = np.load(BytesIO(storage.read(key)[0]), allow_pickle=False)
        if int(found["reading"]) != reading:
            return None
        return np.asarray(found["fingerprints"], np.uint64)
    except NotFoundError:
        return None
    except Exception as error:  # damaged bytes end NumPy and zipfile in many ways
        log.warning("%s is unreadable and will be written again: %s", key, error)
        return None


def write_look(storage: Storage, manifest: ProductsManifest) -> str:
    """Write what a look found, after its table; the manifest's key."""
    key = products_key(manifest.model_id, manifest.id)
    write_document(storage, key, manifest)
    return key


def read_look(storage: Storage, model_id: str, look_id: str) -> ProductsManifest:
    """What a look found; MissingError when it is gone, DamagedError when it is damaged."""
    key = products_key(model_id, look_id)
    try:
        manifest = read_document(storage, key, ProductsManifest)[0]
    except NotFoundError as error:
        raise MissingError(key) from error
    if (manifest.model_id, manifest.id) != (model_id, look_id):
        raise DamagedError(key, f"it is that of {manifest.id} of {manifest.model_id}")
    return manifest


def look_files(storage: Storage, model_id: str, look_id: str) -> list[str]:
    """The keys of what a look's products cannot be read without; NotFoundError when its manifest is
    gone."""
    manifest = read_look(storage, model_id, look_id)
    refs = [ref.id for ref in (manifest.whole, manifest.changes) if ref]
    return [products_key(model_id, look_id), *(_key(model_id, name, _TABLE) for name in refs)]


def load_shelf(
    storage: Storage,
    manifest: ProductsManifest,
    before: Shelf | None = None,
    *,
    whole: bool = False,
) -> Shelf:
    """A look's products, mapped; what `before` has is not loaded again. DamagedError when a table
    is damaged; large ones in their place are checked only if the `whole` is to be, see
    `map_object`."""
    have = before.tables if before else {}
    tables = {
        ref.id: have.get(ref.id) or _load(storage, manifest.model_id, ref, whole=whole)
        for ref in (manifest.whole, manifest.changes)
        if ref
    }
    return Shelf(manifest, tables)


def table_folders(manifest: ProductsManifest) -> set[str]:
    """The folders that a look's tables and its manifest lie in."""
    refs = {ref.id for ref in (manifest.whole, manifest.changes) if ref}
    return {f"{PREFIX}{manifest.model_id}/{name}" for name in {manifest.id, *refs}}


def _load(storage: Storage, model_id: str, ref: TableRef, *, whole: bool) -> Products:
    key = _key(model_id, ref.id, _TABLE)
    data = map_object(storage, key, sha256=ref.sha256, size=ref.size, whole=whole)
    try:
        products = Products.read(arrays_in(data))
        if len(products) != ref.products:
            raise ValueError(f"{len(products)} products instead of {ref.products}")
        if whole or len(data) <= CHECKED_IN_PLACE:
            products.check()
        return products
    except Exception as error:  # damaged bytes end NumPy and zipfile in many ways
        raise DamagedError(key, " ".join(str(error).split()) or type(error).__name__) from error


def _key(model_id: str, look_id: str, name: str) -> str:
    return f"{PREFIX}{model_id}/{look_id}/{name}"

"""Product tables: what was written is loaded, only what is new is read, damage is told."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from lens.errors import ArtifactError, DamagedError, NotFoundError
from lens.gallery.assortment import Entry, Products
from lens.gallery.product_tables import (
    UNREAD,
    ProductsManifest,
    check_fingerprints,
    is_manifest_key,
    load_shelf,
    new_look_id,
    parse_products_key,
    products_key,
    read_look,
    table_folders,
    write_fingerprints,
    write_look,
    write_table,
)
from lens.storage import FileStorage

MODEL = "m"


def _products(*ids: str) -> Products:
    return Products.of([Entry(each, each, (f"id:{each}",), each.encode()) for each in ids])


def _write(storage: FileStorage, products: Products) -> ProductsManifest:
    look = new_look_id()
    manifest = ProductsManifest(
        id=look,
        model_id=MODEL,
        previous=None,
        file="products.csv",
        etag="1",
        products=len(products),
        whole=write_table(storage, MODEL, look, products),
    )
    write_look(storage, manifest)
    return manifest


def test_what_was_written_is_loaded(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    manifest = _write(storage, _products("a", "ü"))
    assert read_look(storage, MODEL, manifest.id) == manifest
    shelf = load_shelf(storage, manifest)
    assert dict(shelf.assortment) == {"a": b"a", "ü": "ü".encode()}


def test_a_table_that_is_known_is_not_read_again(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    manifest = _write(storage, _products("a"))
    before = load_shelf(storage, manifest)
    look = new_look_id()
    changes = write_table(storage, MODEL, look, _products("b"))
    later = manifest.model_copy(update={"id": look, "changes": changes})
    after = load_shelf(storage, later, before)
    assert manifest.whole is not None
    assert after.tables[manifest.whole.id] is before.tables[manifest.whole.id]
    assert sorted(dict(after.assortment)) == ["a", "b"]
    folders = {f"products/{MODEL}/{name}" for name in (manifest.id, look)}
    assert table_folders(later) == folders


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    manifest = _write(storage, _products("a"))
    path = tmp_path / f"products/{MODEL}/{manifest.id}/table.npz"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match=r"table\.npz is damaged"):
        load_shelf(storage, manifest)


def test_damaged_fingerprints_are_told_with_what_ails_them(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    write_fingerprints(storage, MODEL, "1", 7, np.zeros(2, np.uint64))
    (key,) = (info.key for info in storage.list())
    check_fingerprints(storage, key)
    out = BytesIO()
    np.savez(out, reading=np.array(7))
    storage.write(key, out.getvalue())
    with pytest.raises(DamagedError, match=r"damaged \(.*fingerprints is not"):
        check_fingerprints(storage, key)


def test_a_look_that_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_look(FileStorage(tmp_path), MODEL, new_look_id())


def test_keys_are_told_apart() -> None:
    key = products_key(MODEL, "1")
    assert parse_products_key(key) == (MODEL, "1")
    assert is_manifest_key(key)
    assert not is_manifest_key(key.replace("manifest.json", "table.npz"))
    with pytest.raises(ArtifactError):
        parse_products_key("segments/m/1.npz")


def test_a_file_that_could_not_be_read_is_named_with_its_etag() -> None:
    look = ProductsManifest(id="1", model_id=MODEL, previous=None, file="products.csv", etag="e")
    assert look.unread is None
    assert look.model_copy(update={"etag": f"{UNREAD}e"}).unread == ("products.csv", "e")

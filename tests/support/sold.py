"""Sold: galleries with a product file, in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lens.feed.product import Product
from lens.gallery.assortment import Products
from lens.gallery.commits import empty_commit
from lens.gallery.gallery import Gallery
from lens.gallery.product_tables import ProductsManifest, Shelf, TableRef
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment
from lens.gallery.versions import Version
from lens.pipeline.feed import entries_of

_REF = TableRef(id="t", products=0, sha256="", size=0)


def gallery_with(products: Sequence[Product], rows: Sequence[Row] = ()) -> Gallery:
    """A gallery of these photos, whose product file has these products."""
    manifest = ProductsManifest(
        id="l",
        model_id="m",
        previous=None,
        file="products.csv",
        etag="1",
        products=len(products),
        whole=_REF,
    )
    shelf = Shelf(manifest, {"t": Products.of(entries_of(products))})
    segment = Segment(Rows.of(list(rows)), np.ones((len(rows), 2), np.float32))
    return Gallery(empty_commit("m"), None, {}, {"s": segment}, shelf=shelf)


def photo_row(key: str, item_id: str = "") -> Row:
    """A photo's row."""
    return Row(key, Version("1"), Kind.PHOTO, 1.0, "e", "p", item_id or key)

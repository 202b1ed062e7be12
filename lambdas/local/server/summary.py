"""The summary: what came of an indexing, in one line."""

from __future__ import annotations

import numpy as np

from lambdas.local.counted import counted
from lens.gallery.rows import Kind
from lens.search.serving import Serving


def summary(serving: Serving | None) -> str:
    """How many photos and products can be found, and what was left out; `lens status` says why."""
    if serving is None:
        return "nothing is indexed yet"
    known = serving.gallery.known
    products = len(np.unique(known.item_id[known.kind == Kind.PHOTO]))
    parts = [counted(serving.gallery.photo_count, "photo"), counted(products, "product")]
    if left_out := int(np.count_nonzero(known.kind == Kind.REJECTION)):
        parts.append(f"{left_out:,} left out")
    if waiting := len(serving.gallery.waiting):
        parts.append(f"{waiting:,} cannot be read now")
    shelf = serving.gallery.shelf
    if shelf is not None and shelf.manifest.trouble:
        parts.append("the product file cannot be used")
    elif shelf is not None and shelf.manifest.file:
        parts.append(f"{shelf.manifest.products:,} rows in {shelf.manifest.file}")
    return f"{', '.join(parts)}: lens status"

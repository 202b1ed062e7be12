"""Part names: which keys are names that this project gives to the parts of a gallery. Other files
that lie among them, in a bucket that the artifacts share, are a shop's own."""

from __future__ import annotations

import re

from lens.gallery.commits import COMMITS
from lens.gallery.product_tables import PREFIX as PRODUCTS
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.snapshots import PREFIX as SNAPSHOTS

PREFIXES = (COMMITS, SEGMENTS, SNAPSHOTS, PRODUCTS)
_OURS = re.compile(
    rf"{COMMITS}[^/]+/[0-9]{{8,}}-[0-9a-f]{{32}}\.json"
    rf"|{SEGMENTS}[^/]+/[0-9a-f]{{32}}\.npz"
    rf"|{SNAPSHOTS}[^/]+/[0-9a-f]{{32}}/[a-z]+\.[a-z]+"
    rf"|{PRODUCTS}[^/]+/[0-9a-f]{{32}}/[a-z]+\.[a-z]+"
)


def is_ours(key: str) -> bool:
    """Whether this project can have given this name."""
    return _OURS.fullmatch(key) is not None

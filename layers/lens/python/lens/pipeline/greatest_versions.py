"""Greatest versions: what is known of each key, in whatever whole part, a loose one too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lens.gallery.rows import Rows, last_of_each_key
from lens.gallery.segments import read_segment
from lens.gallery.snapshots import load_rows
from lens.gallery.versions import UNSEEN, Look, Version
from lens.pipeline.gallery_parts import GalleryParts
from lens.storage import Storage

Versions = Mapping[str, Version]


def greatest_versions(storage: Storage, parts: GalleryParts) -> Versions:
    """The greatest version of each key in a model's whole parts."""
    found: list[Rows] = [
        read_segment(storage, parts.model_id, name).rows for name in parts.segments
    ]
    found += [load_rows(storage, parts.model_id, name) for name in parts.snapshots]
    greatest: dict[str, Version] = {}
    for rows in found:
        order = np.lexsort((rows.n, rows.sequencer, rows.key))
        for position in order[last_of_each_key(rows.key[order])]:
            row = rows[position]
            greatest[row.key] = max(row.version, greatest.get(row.key, UNSEEN))
    return greatest


def above(look: Look, seen: Versions) -> Look:
    """The look with a version above any that can be read."""
    if look.key not in seen:
        return look
    return replace(look, version=max(look.version, seen[look.key].bumped()))

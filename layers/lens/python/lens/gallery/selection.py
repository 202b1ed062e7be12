"""Selection: which of a gallery's photos a search may find, for a reason that the gallery need not
know."""

from __future__ import annotations

from dataclasses import dataclass

from lens.gallery.index import Allowed
from lens.gallery.rows import Mask


@dataclass(frozen=True)
class Selection:
    """Made by `Gallery.select`, and of use with that gallery alone."""

    indexed: Allowed | None  # of the snapshot's positions; None without a snapshot
    recent: Mask  # of the recent segments' vectors

"""Allowed: the positions that a search may find, in the forms in which it asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np

from lens.gallery.rows import Mask, Positions


@dataclass(frozen=True)
class Allowed:
    """For each of N positions, whether it may be found. Read-only, and used by many searches."""

    mask: Mask
    in_lists: Positions  # how many are allowed in each of the index's lists; empty without lists

    @classmethod
    def of(cls, mask: Mask, starts: Positions) -> Allowed:
        """`starts`: where lists begin, and last where they end; empty without lists."""
        return cls(mask, np.diff(np.searchsorted(np.flatnonzero(mask), starts)))

    def within(self, span: range) -> Positions:
        """The allowed positions of a span, sorted."""
        first, last = np.searchsorted(self._positions, [span.start, span.stop])
        return self._positions[first:last]

    @cached_property
    def selector(self) -> faiss.IDSelectorBitmap:
        """The same for FAISS."""
        return faiss.IDSelectorBitmap(len(self.mask), faiss.swig_ptr(self._bits))

    @cached_property
    def _bits(self) -> Mask:
        # Kept: the selector only points to it.
        return np.packbits(self.mask, bitorder="little")  # type: ignore[return-value]

    @cached_property
    def _positions(self) -> Positions:
        return np.flatnonzero(self.mask)

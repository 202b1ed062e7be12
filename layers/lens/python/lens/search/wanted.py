"""Wanted: what a search is to find, whatever it is asked with."""

from __future__ import annotations

from dataclasses import dataclass

from lens.search.grouping import Group


@dataclass(frozen=True)
class Wanted:
    """How many results, of what, in which form."""

    top_k: int = 12
    category: str | None = None  # it and those under it; None: all
    group: Group = "photo"


ANYTHING = Wanted()

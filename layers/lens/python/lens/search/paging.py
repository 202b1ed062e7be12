"""Paging: the hits of one search page by page, none twice and none left out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from lens.gallery.gallery import Match
from lens.search.cache import Cache
from lens.search.cursor import Cursor
from lens.search.facets import COUNTED
from lens.search.order import Order

# A search that goes on is made again with more hits. An index that is asked for more finds a few
# that it missed before; so each time what was not there yet is added at the end, and what was
# there stays where it was.
_DEPTHS = (COUNTED, 1_000)
DEEPEST = _DEPTHS[-1]  # hits that pages can reach
_KEPT = 8_000  # matches of deep searches, of a kilobyte each

Nearest = Callable[[int], Sequence[Match]]  # at most so many, the most similar first


@dataclass(frozen=True)
class Page:
    """Some hits of a search."""

    matches: list[Match]
    first_rank: int
    cursor: Cursor | None  # of the next page


class Pages:
    """Makes pages; keeps the deep searches that were made last. Safe to call from several
    threads."""

    def __init__(self) -> None:
        self._deep: Cache[Sequence[Match]] = Cache(_KEPT, len)

    def page(
        self,
        nearest: Nearest,
        identities: Callable[[Sequence[Match]], Sequence[Hashable]],
        top_k: int,
        here: Cursor,
        order: Order | None = None,
    ) -> Page:
        """The page that a cursor is of. Of two hits with the same identity one is enough. With an
        order it is a page of what is found as that arranges it."""
        depths = (top_k + 1, *(depth for depth in _DEPTHS if depth > top_k + 1))
        if order and order.is_of_one_block:
            depths = _DEPTHS[:1]
        deepest = min(depths[-1], DEEPEST)
        start = here.pages * top_k
        stop = min(start + top_k, deepest)
        found: list[Match] = []
        ranked: dict[Hashable, Match] = {}
        for depth in depths:
            matches = nearest(depth)
            for name, match in zip(identities(matches), matches, strict=True):
                ranked.setdefault(name, match)
            found = list(ranked.values())[:deepest]
            found, settled = order.arranged(found) if order else (found, len(found))
            if settled > stop or len(matches) < depth:
                break
        after = here.next() if len(found) > stop else None
        return Page(found[start:stop], start + 1, after)

    def kept(self, nearest: Nearest, *search: Hashable) -> Nearest:
        """The same, asked only for what is not known yet; what goes deep is kept for the next
        pages. `search` says of what it is."""
        known: Sequence[Match] = ()
        asked = 0

        def again(depth: int) -> Sequence[Match]:
            nonlocal known, asked
            if depth > asked:
                known, asked = self._found(nearest, depth, search), depth
            return known[:depth]

        return again

    def _found(self, nearest: Nearest, depth: int, search: Hashable) -> Sequence[Match]:
        if depth < _DEPTHS[0]:
            return nearest(depth)
        matches = self._deep.get((search, depth))
        if matches is None:
            matches = nearest(depth)
            self._deep.put((search, depth), matches)
        return matches

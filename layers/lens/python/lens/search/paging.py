"""Paging: the hits of one search page by page, none twice and none left out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from lens.gallery.gallery import Match
from lens.gallery.rows import Row
from lens.search.cache import Cache
from lens.search.cursor import Cursor

# A search that goes on is made again with more hits. An index that is asked for more finds a few
# that it missed before; so each time what was not there yet is added at the end, and what was
# there stays where it was.
_DEPTHS = (200, 1_000)
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
        identity: Callable[[Row], Hashable],
        top_k: int,
        here: Cursor,
    ) -> Page:
        """The page that a cursor is of. Of two hits with the same `identity` one is enough."""
        start = here.pages * top_k
        stop = min(start + top_k, DEEPEST)
        ranked: dict[Hashable, Match] = {}
        for depth in (top_k + 1, *(depth for depth in _DEPTHS if depth > top_k + 1)):
            matches = nearest(depth)
            for match in matches:
                ranked.setdefault(identity(match.row), match)
            if len(ranked) > stop or len(matches) < depth:
                break
        found = list(ranked.values())[:DEEPEST]
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

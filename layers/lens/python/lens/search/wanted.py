"""Wanted: what a search is to find, whatever it is asked with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lens.errors import FieldError, SearchAgainError
from lens.feed.filter import Filter
from lens.search.cursor import Cursor, digest_of
from lens.search.facets import Facet
from lens.search.grouping import Group
from lens.search.order import Sort


@dataclass(frozen=True)
class Wanted:
    """How many results, of what, in which form."""

    top_k: int = 12
    category: str | None = None  # it and those under it; None: all
    group: Group = "photo"
    sort: Sort = "similarity"
    filter: Filter | None = None
    facets: tuple[Facet, ...] = ()  # what to count beside the hits
    after: Cursor | None = None  # where to go on; None: the first page

    def __post_init__(self) -> None:
        if self.sort != "similarity" and self.group != "item":
            raise FieldError("sort: items are sorted by price, photos are not; send group=item too")

    def place(self, *sought: object, state: object) -> Cursor:
        """The page that is wanted of a search for this, by what is sought, in this state of the
        gallery. Raises CursorError or SearchAgainError where `after` is none of this search, or of
        this state."""
        search = digest_of(replace(self, facets=(), after=None), *sought)
        first = Cursor(0, search, digest_of(state))
        if self.after is None:
            return first
        self.after.require(first)
        return self.after


def require_first(wanted: Wanted) -> None:
    """Raises SearchAgainError where a search is to go on: there is no gallery."""
    if wanted.after is not None:
        raise SearchAgainError("there is no gallery any more: search again, without the cursor")


ANYTHING = Wanted()

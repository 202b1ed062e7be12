"""Results: the answer to a search, and its hits by rank."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lens.gallery.rows import Row
from lens.models.regions import Box, Region
from lens.search.cursor import Cursor
from lens.search.facets import Facets
from lens.search.matching import Word
from lens.search.paging import Page
from lens.search.products import Sold
from lens.search.scope import Scope


@dataclass(frozen=True)
class Hit:
    """One result; `similarity` is the inner product of unit vectors."""

    rank: int  # from 1
    item_id: str
    key: str
    photo_id: str
    category: str
    similarity: float
    exact: bool = False  # a photo of the query is this one, or a copy of it
    match: Word | None = None  # how like the query it is; None for a model without a calibration
    sold: Sold | None = None  # as the shop's product file has it
    face: Row | None = None  # the photo that the shop shows first, where that is another one


@dataclass(frozen=True)
class Results:
    """The answer to one search; model and commit are empty before the first model."""

    model_id: str | None
    commit: int | None
    hits: tuple[Hit, ...]
    regions: tuple[Region, ...] = ()  # all that are seen in the photo, the surest first
    region: Box | None = None  # what was searched for; None: the whole photo
    match_probability: float | None = None  # that it shows a garment whose like is here
    match: Word | None = None  # both None for a model without a calibration
    cursor: Cursor | None = None  # of the next page; None: this is the last
    facets: Facets | None = None  # None: not asked for
    explained: bool = False  # whether it can be told why a hit is like the photo


NO_RESULTS = Results(None, None, ())


def hits_of(
    scope: Scope,
    page: Page,
    words: Sequence[Word | None],
    same: Collection[str | None] = (),
) -> tuple[Hit, ...]:
    """What was found, by rank; `same` are the ids of the photos that were asked for."""
    ranked = enumerate(zip(page.matches, words, strict=True), page.first_rank)
    return tuple(
        Hit(
            rank=rank,
            item_id=match.row.item_id,
            key=match.row.key,
            photo_id=match.row.photo_id,
            category=match.row.category,
            similarity=match.similarity,
            exact=match.row.photo_id in same,
            match=like,
            sold=sold,
            face=scope.face(match.row, sold),
        )
        for rank, (match, like) in ranked
        for sold in (scope.sold(match.row),)
    )

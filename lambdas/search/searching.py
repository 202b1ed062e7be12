"""Searching: photos, an address or items in, the catalog's most similar photos out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import AfterValidator

from lambdas.search.addresses import addresses_for
from lambdas.search.admission import Admission
from lambdas.search.document import SEARCH
from lambdas.search.errors import GALLERY_ERRORS, INVALID, PHOTO_ERRORS, documented
from lambdas.search.fields import encodable, invalid
from lambdas.search.narrowing import CURSOR, FACETS_COUNTED, FILTER, SORT, wanted_of
from lambdas.search.parameters import (
    REPEATED,
    Files,
    Likes,
    Region,
    Unlikes,
    asked_of,
    examples_of,
    refuse_other_fields,
    require_together,
)
from lambdas.search.schemas import ResultsSchema, results_schema
from lambdas.search.search_lines import Kind
from lambdas.search.search_log import SearchLog
from lens.errors import (
    AddressRefusedError,
    CursorError,
    FetchError,
    FilterError,
    NotFoundError,
    SearchAgainError,
)
from lens.fetching.fetch import Fetcher
from lens.search.grouping import Group
from lens.search.order import Sort
from lens.search.searcher import Searcher
from lens.settings import Settings, variable

_SOUGHT = ("file", "url", "item_id", "like", "unlike")
_FIELDS = (*_SOUGHT, "top_k", "category", "region", "group", "filter", "sort", "facets", "cursor")
# Fetches wait for other servers, so they have threads of their own.
_FETCHES, _QUEUED_FETCHES = 8, 32
_ERRORS = PHOTO_ERRORS | documented(NotFoundError, SearchAgainError) | GALLERY_ERRORS
_REFUSED = INVALID, FilterError, CursorError, FetchError, AddressRefusedError
_ERRORS[422] = documented(*_REFUSED)[422]


def search_routes(
    searcher: Searcher, searches: Admission, settings: Settings, log: SearchLog
) -> APIRouter:
    """`/api/search-image`."""
    routes = APIRouter(route_class=searches.route_class())
    fetches = Admission(_FETCHES, _QUEUED_FETCHES)
    fetcher = Fetcher(settings.max_photo_bytes) if settings.fetch_urls else None

    @routes.post("/api/search-image", responses=_ERRORS, tags=[SEARCH])
    async def search_image(
        request: Request,
        *,
        file: Files,
        url: Annotated[
            str | None,
            AfterValidator(encodable),
            Form(max_length=2000, description="https address of the photo, instead of `file`"),
        ] = None,
        item_id: Annotated[
            str | None,
            AfterValidator(encodable),
            Form(description="what is similar to this item, instead of `file`"),
        ] = None,
        like: Likes,
        unlike: Unlikes,
        top_k: Annotated[int, Form(ge=1, le=100, description="how many results")] = 12,
        category: Annotated[
            str | None,
            AfterValidator(encodable),
            Form(description="only this category and those under it", examples=["WOMEN/Dresses"]),
        ] = None,
        region: Region = None,
        group: Annotated[
            Group,
            Form(description="photo: every photo is a hit; item: each item once, sold out last"),
        ] = "photo",
        wanted_filter: Annotated[str | None, AfterValidator(encodable), Form(**FILTER)] = None,
        sort: Annotated[Sort, Form(**SORT)] = "similarity",
        facets: Annotated[str | None, AfterValidator(encodable), Form(**FACETS_COUNTED)] = None,
        cursor: Annotated[str | None, AfterValidator(encodable), Form(**CURSOR)] = None,
    ) -> ResultsSchema:
        """The catalog's photos most similar to what is sent; none until there is a gallery."""
        await refuse_other_fields(request, _FIELDS, REPEATED)
        asked, examples = asked_of(region), examples_of(like, unlike)
        require_together(file, url, item_id, examples, asked is not None)
        if item_id:
            group = "item"
        wanted = wanted_of(top_k, category, wanted_filter, facets, cursor, group, sort)
        if item_id:
            similar = partial(searcher.similar, item_id, wanted)
            found = await searches.run(similar, request)
            search_id = None if cursor else log.searched("item", found, category)
            return results_schema(found, addresses_for(request, settings), search_id)
        photos = [await each.read() for each in file]
        if url:
            if fetcher is None:
                setting = variable("fetch_urls")
                raise invalid("url", f"this server fetches none ({setting} is off); send a file")
            photos.append(await fetches.run(partial(fetcher.fetch, url), request))
        search = partial(searcher.search, photos, wanted, examples=examples, region=asked)
        found = await searches.run(search, request)
        kind: Kind = "url" if url else "photo" if photos else "item"
        search_id = None if cursor else log.searched(kind, found, category, group)
        return results_schema(found, addresses_for(request, settings), search_id)

    return routes

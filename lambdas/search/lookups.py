"""Lookups: thumbnails, items and categories of the gallery."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator
from starlette.routing import Match
from starlette.types import Scope

from lambdas.search import key_paths  # noqa: F401  (the routes' `key`)
from lambdas.search.addresses import addresses_for
from lambdas.search.admission import Admission
from lambdas.search.document import CATALOG, SEARCH
from lambdas.search.errors import (
    GALLERY_ERRORS,
    INVALID,
    LOOKUP_ERRORS,
    SIMILAR_ERRORS,
    documented,
)
from lambdas.search.fields import encodable, refuse_others
from lambdas.search.http_rules import is_still_good
from lambdas.search.narrowing import CURSOR, FACETS_COUNTED, FILTER, SORT, wanted_of
from lambdas.search.product_schemas import product_schema
from lambdas.search.schemas import (
    CategoriesSchema,
    ItemSchema,
    SimilarSchema,
    categories_schema,
    photo_schema,
    similar_schema,
)
from lambdas.search.search_log import SearchLog
from lens.photos.decoding import THUMBNAIL_SIDE
from lens.photos.thumbnail_store import FOREVER
from lens.search.order import Sort
from lens.search.products import sold_as
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Settings

_JPEG: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        "description": "a JPEG",
    }
}
_CATEGORIES_ERRORS = documented(INVALID) | GALLERY_ERRORS
_NARROWING = ("top_k", "category", "filter", "sort", "facets", "cursor")


class _SimilarRoute(APIRoute):
    """Not for an item whose own id ends in `/similar`, which is asked for with that slash as
    `%2F`. A server that keeps no raw path cannot tell the two apart."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        raw: bytes = scope.get("raw_path") or b""
        if raw.lower().endswith(b"%2fsimilar"):
            return Match.NONE, {}
        return super().matches(scope)


def lookup_routes(
    searcher: Searcher,
    thumbnails: Thumbnails,
    lookups: Admission,
    settings: Settings,
    log: SearchLog,
) -> APIRouter:
    """`/api/thumb`, `/api/items` and `/api/categories`."""
    routes = APIRouter()

    @routes.get(
        "/api/thumb/{photo_id}",
        responses=_JPEG | LOOKUP_ERRORS,
        response_class=Response,
        tags=[CATALOG],
    )
    async def get_thumbnail(
        request: Request,
        photo_id: str,
        size: Annotated[int, Query(ge=16, le=THUMBNAIL_SIDE)] = THUMBNAIL_SIDE,
        if_none_match: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        """A JPEG of a photo, its long side at most `size` pixels."""
        refuse_others(request.query_params, ("size",))

        def read() -> bytes:
            serving = searcher.refresh()
            return thumbnails.read(serving.gallery if serving else None, photo_id, size)

        data = await lookups.run(read, request)
        headers = {"Cache-Control": FOREVER, "ETag": f'"{photo_id}-{size}"'}
        if is_still_good(headers["ETag"], if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(data, media_type="image/jpeg", headers=headers)

    async def similar_items(
        request: Request,
        item_id: str,
        top_k: Annotated[int, Query(ge=1, le=100, description="how many items")] = 12,
        category: Annotated[
            str | None,
            AfterValidator(encodable),
            Query(description="only this category and those under it", examples=["WOMEN/Dresses"]),
        ] = None,
        wanted_filter: Annotated[str | None, AfterValidator(encodable), Query(**FILTER)] = None,
        sort: Annotated[Sort, Query(**SORT)] = "similarity",
        facets: Annotated[str | None, AfterValidator(encodable), Query(**FACETS_COUNTED)] = None,
        cursor: Annotated[str | None, AfterValidator(encodable), Query(**CURSOR)] = None,
    ) -> SimilarSchema:
        """The items most similar to one, by the catalog's id or the shop's own; a photo of each."""
        refuse_others(request.query_params, _NARROWING)
        wanted = wanted_of(top_k, category, wanted_filter, facets, cursor, sort=sort)
        found = await lookups.run(partial(searcher.similar, item_id, wanted), request)
        search_id = None if cursor else log.searched("item", found, category)
        return similar_schema(item_id, found, addresses_for(request, settings), search_id)

    # Before the route of the item itself, whose path would take this one for an id.
    routes.add_api_route(
        "/api/items/{item_id:key}/similar",
        similar_items,
        responses=SIMILAR_ERRORS,
        tags=[SEARCH],
        route_class_override=_SimilarRoute,
    )

    @routes.get("/api/items/{item_id:key}", responses=LOOKUP_ERRORS, tags=[CATALOG])
    async def get_item(request: Request, item_id: str) -> ItemSchema:
        """An item's photos, by the catalog's id or the shop's own."""
        refuse_others(request.query_params)
        gallery, rows = await lookups.run(partial(searcher.item, item_id), request)
        addresses = addresses_for(request, settings)
        sold = sold_as(gallery, rows[0], currency=searcher.currency)
        return ItemSchema(
            item_id=rows[0].item_id,
            category=rows[0].category,
            photos=[photo_schema(row, addresses) for row in rows],
            product=product_schema(sold, addresses),
        )

    @routes.get("/api/categories", responses=_CATEGORIES_ERRORS, tags=[CATALOG])
    async def list_categories(request: Request) -> CategoriesSchema:
        """The catalog's categories, each with its number of photos and one of them."""
        refuse_others(request.query_params)
        addresses = addresses_for(request, settings)

        def read() -> CategoriesSchema:
            serving = searcher.refresh()
            return categories_schema(serving.gallery if serving else None, addresses)

        return await lookups.run(read, request)

    return routes

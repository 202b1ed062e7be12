"""The HTTP API: its routes, limits and errors wired to a searcher."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Depends, FastAPI, Response
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from lambdas.search.admission import Admission
from lambdas.search.body_limit import BodyLimit
from lambdas.search.errors import translate_errors
from lambdas.search.health import Health, health_routes
from lambdas.search.lookups import lookup_routes
from lambdas.search.searching import search_routes
from lens.progress import Underway
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import thumbnails_of
from lens.settings import Settings

# What multipart adds to a photo: boundaries, part headers, the other fields.
_MULTIPART_BYTES = 64 * 1024
# Thumbnails, items and categories take milliseconds: a full line of them waits a second or two.
_QUEUED_LOOKUPS = 256


def create_app(
    settings: Settings,
    searcher: Searcher,
    walls: Sequence[Middleware] = (),
    indexing: Underway | None = None,
    fetching: Underway | None = None,
) -> FastAPI:
    """The API over a searcher, behind `walls`, which may refuse a request before it is read.
    `indexing` and `fetching` (of pictures) are those of this process, where it does that.

    Photos are embedded in at most `settings.threads` threads, so that the event loop stays free to
    answer everything else. `settings.queued_searches` more wait; the next is refused as busy.
    """
    app = FastAPI(
        title="Image Lens",
        summary="Photograph a garment, find the product.",
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        dependencies=[Depends(_not_stored)],
        middleware=list(walls),
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_photo_bytes + _MULTIPART_BYTES)
    translate_errors(app, settings.max_photo_bytes)
    searches = Admission(settings.threads, settings.queued_searches)
    lookups = Admission(settings.threads, _QUEUED_LOOKUPS)  # these may decode photos too
    thumbnails = searcher.thumbnails or thumbnails_of(settings)
    app.include_router(lookup_routes(searcher, thumbnails, lookups, settings))
    work = indexing or Underway(), fetching or Underway()
    app.state.health = Health(searcher, thumbnails, searches, lookups, *work)
    app.include_router(health_routes(app.state.health))
    app.include_router(search_routes(searcher, searches, settings))
    if settings.cors_origins:
        _allow_origins(app, settings.cors_origins)
    return app


def _allow_origins(app: FastAPI, origins: tuple[str, ...]) -> None:
    """Let these sites' pages read every reply, that of an unexpected error too.

    So the CORS middleware must be outside of Starlette's own for errors, where `add_middleware`
    cannot put it.
    """
    app.middleware_stack = CORSMiddleware(
        app.build_middleware_stack(),
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=("Authorization", "X-Api-Key"),
        expose_headers=("Retry-After",),
    )


async def _not_stored(response: Response) -> None:
    """A JSON reply is soon out of date; without this header, a CDN may keep it for a day."""
    response.headers["Cache-Control"] = "no-store"

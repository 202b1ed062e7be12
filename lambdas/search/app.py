"""The HTTP API: its routes, limits and errors wired to a searcher."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Depends, FastAPI, Response
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from lambdas.search import file_names  # noqa: F401  (what forms are read by)
from lambdas.search.admission import Admission
from lambdas.search.background import Background
from lambdas.search.body_limit import BodyLimit
from lambdas.search.clicks import click_routes
from lambdas.search.document import Api
from lambdas.search.errors import translate_errors
from lambdas.search.explaining import why_routes
from lambdas.search.health import Health, health_routes
from lambdas.search.http_rules import HttpRules
from lambdas.search.lookups import lookup_routes
from lambdas.search.request_ids import HEADER, Identified
from lambdas.search.search_log import search_log
from lambdas.search.searching import search_routes
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
    background: Background | None = None,
) -> FastAPI:
    """The API over a searcher, behind `walls`, which may refuse a request before it is read.
    `background` is what this process does beside answering.

    Photos are embedded in at most `settings.threads` threads, so that the event loop stays free to
    answer everything else. `settings.queued_searches` more wait; the next is refused as busy.

    Raises UsageError when the search log cannot be written.
    """
    app = Api(settings, dependencies=[Depends(_not_stored)], middleware=list(walls))
    app.add_middleware(BodyLimit, max_bytes=settings.max_photo_bytes + _MULTIPART_BYTES)
    translate_errors(app, settings.max_photo_bytes)
    background = background or Background()
    way = background.right_of_way
    searches = Admission(settings.threads, settings.queued_searches, right_of_way=way)
    # These may decode photos too.
    lookups = Admission(settings.threads, _QUEUED_LOOKUPS, right_of_way=way)
    log = search_log(settings)
    thumbnails = searcher.thumbnails or thumbnails_of(settings)
    app.include_router(lookup_routes(searcher, thumbnails, lookups, settings, log))
    app.state.health = Health(searcher, thumbnails, searches, lookups, background, log)
    app.include_router(health_routes(app.state.health))
    app.include_router(search_routes(searcher, searches, settings, log))
    app.include_router(why_routes(searcher, thumbnails, searches))
    app.include_router(click_routes(log))
    app.middleware_stack = _around(app.build_middleware_stack(), settings.cors_origins)
    return app


def _around(stack: ASGIApp, cors_origins: tuple[str, ...]) -> ASGIApp:
    """What concerns every reply, that of an unexpected error too: so it must be outside of
    Starlette's own middleware for errors, where `add_middleware` cannot put it."""
    stack = HttpRules(stack)
    if cors_origins:  # these sites' pages may read every reply
        stack = CORSMiddleware(
            stack,
            allow_origins=cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "X-Api-Key", HEADER),
            expose_headers=("Retry-After", HEADER),
        )
    return Identified(stack)


async def _not_stored(response: Response) -> None:
    """A JSON reply is soon out of date; without this header, a CDN may keep it for a day."""
    response.headers["Cache-Control"] = "no-store"

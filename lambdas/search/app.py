"""The HTTP API: search by photo, thumbnails, items, categories and health."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    Query,
    Request,
    Response,
    UploadFile,
)
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator
from starlette.middleware.cors import CORSMiddleware

from lambdas.search.admission import Admission
from lambdas.search.body_limit import BodyLimit
from lambdas.search.errors import INVALID, MALFORMED, documented, translate_errors
from lambdas.search.schemas import (
    CachesSchema,
    CategoriesSchema,
    GallerySchema,
    HealthSchema,
    ItemSchema,
    LoadsSchema,
    PinSchema,
    ResultsSchema,
    categories_schema,
    photo_schema,
    results_schema,
)
from lens.errors import (
    ArtifactError,
    BrokenImageError,
    BusyError,
    NotAnImageError,
    NotFoundError,
    PhotoTooLargeError,
    StorageError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from lens.models.embedder import RUNTIME
from lens.photos.catalog import Catalog
from lens.photos.decoding import ACCEPTED, THUMBNAIL_SIDE
from lens.photos.thumbnail_store import FOREVER
from lens.search.searcher import Searcher
from lens.search.serving import Serving
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Settings
from lens.storage import open_storage

# What multipart adds to a photo: boundaries, part headers, the other fields.
_MULTIPART_BYTES = 64 * 1024
# Thumbnails, items and categories take milliseconds: so many wait a second or two.
_QUEUED_LOOKUPS = 256
# Anybody may ask for health; the reason, which names where things lie, is in the log.
_TROUBLE = "the newest gallery cannot be loaded; the log says why"

_PHOTO_ERRORS = documented(
    NotAnImageError,
    BrokenImageError,
    MALFORMED,
    PhotoTooLargeError,
    TooManyPixelsError,
    UnsupportedImageError,
    INVALID,
)
_GALLERY_ERRORS = documented(ArtifactError, BusyError, StorageError)
_LOOKUP_ERRORS = documented(NotFoundError, INVALID) | _GALLERY_ERRORS
_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "a JPEG"}
}


def create_app(settings: Settings, searcher: Searcher) -> FastAPI:
    """The API over a searcher. Photos are embedded in threads, at most `settings.threads` at
    once, so that the event loop stays free to answer everything else; `settings.queued_searches`
    more wait, and what comes then is refused."""
    app = FastAPI(
        title="Image Lens",
        summary="Photograph a garment, find the product.",
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        dependencies=[Depends(_not_stored)],
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_photo_bytes + _MULTIPART_BYTES)
    translate_errors(app, settings.max_photo_bytes)
    searches = Admission(settings.threads, settings.queued_searches)
    lookups = Admission(settings.threads, _QUEUED_LOOKUPS)  # these may decode photos too
    searching = APIRouter(route_class=searches.route_class())
    thumbnails = Thumbnails(
        open_storage(settings.thumbs or settings.artifacts),
        Catalog(open_storage(settings.catalog)),
        settings.limits,
        settings.cached_thumb_bytes,
    )

    @searching.post("/api/search-image", responses=_PHOTO_ERRORS | _GALLERY_ERRORS)
    async def search_image(
        request: Request,
        file: Annotated[UploadFile, File(description=ACCEPTED)],
        top_k: Annotated[int, Form(ge=1, le=100, description="how many results")] = 12,
        category: Annotated[
            str | None,
            AfterValidator(_encodable),
            Form(description="only this category and those under it", examples=["WOMEN/Dresses"]),
        ] = None,
    ) -> ResultsSchema:
        """The catalog's photos that are most similar to this one; none until there is a gallery."""
        _refuse_query(request)
        photo = await file.read()
        search = partial(searcher.search, photo, top_k=top_k, category=category or None)
        return results_schema(await searches.run(search, request), settings)

    @app.get("/api/thumb/{photo_id}", responses=_JPEG | _LOOKUP_ERRORS, response_class=Response)
    async def thumb(
        request: Request,
        photo_id: str,
        size: Annotated[int, Query(ge=16, le=THUMBNAIL_SIDE)] = THUMBNAIL_SIDE,
        if_none_match: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        """A JPEG of a photo, its long side at most `size` pixels."""

        def read() -> bytes:
            serving = searcher.refresh()
            return thumbnails.read(serving.gallery if serving else None, photo_id, size)

        data = await lookups.run(read, request)
        headers = {"Cache-Control": FOREVER, "ETag": f'"{photo_id}-{size}"'}
        if headers["ETag"] in if_none_match:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type="image/jpeg", headers=headers)

    @app.get("/api/items/{item_id:path}", responses=_LOOKUP_ERRORS)
    async def item(request: Request, item_id: str) -> ItemSchema:
        """An item's photos."""
        serving = await lookups.run(searcher.refresh, request)
        rows = serving.gallery.item(item_id) if serving else []
        if not rows:
            raise NotFoundError(f"no photo of the gallery shows the item {item_id!r}")
        photos = [photo_schema(row, settings) for row in rows]
        return ItemSchema(item_id=item_id, category=rows[0].category, photos=photos)

    @app.get("/api/categories", responses=_GALLERY_ERRORS)
    async def categories(request: Request) -> CategoriesSchema:
        """The catalog's categories, each with its number of photos and one of them."""

        def read() -> CategoriesSchema:
            serving = searcher.refresh()
            return categories_schema(serving.gallery if serving else None, settings)

        return await lookups.run(read, request)

    @app.get("/api/health")
    async def health() -> HealthSchema:
        """What answers, and from what. It loads nothing: searches keep the gallery current."""
        load = LoadsSchema.model_validate(
            {"searches": searches.figures(), "lookups": lookups.figures()}
        )
        return _health(searcher, thumbnails, load)

    app.include_router(searching)
    if settings.cors_origins:
        # Around everything: a page elsewhere must be able to read even what nobody expected.
        app.middleware_stack = CORSMiddleware(
            app.build_middleware_stack(),
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            expose_headers=("Retry-After",),
        )
    return app


async def _not_stored(response: Response) -> None:
    """JSON is true for the moment; without this, a CDN may keep it for a day."""
    response.headers["Cache-Control"] = "no-store"


def _encodable(text: str | None) -> str | None:
    """UTF-7 and its like can name half a character; ValueError then, before the gallery fails."""
    if text is not None:
        text.encode()
    return text


def _refuse_query(request: Request) -> None:
    """A parameter in the wrong place must not be ignored in silence."""
    if request.query_params:
        name = next(iter(request.query_params))
        detail = {"loc": ("query", name), "msg": "send it as a form field, beside the photo"}
        raise RequestValidationError([detail])


def _health(searcher: Searcher, thumbnails: Thumbnails, load: LoadsSchema) -> HealthSchema:
    serving = searcher.serving
    empty = serving is None or serving.gallery.photo_count == 0
    return HealthSchema(
        status="degraded" if searcher.trouble else "empty" if empty else "ok",
        trouble=_TROUBLE if searcher.trouble else None,
        storage="s3" if searcher.artifacts.location.startswith("s3:") else "file",
        device=serving.embedder.device if serving else None,
        runtime=RUNTIME,
        precision=serving.embedder.precision if serving else None,
        model_id=serving.embedder.model_id if serving else None,
        embedding_dim=serving.embedder.manifest.embedding_dim if serving else None,
        gallery=_gallery(serving) if serving else None,
        pin=_pin(serving) if serving else None,
        load=load,
        cache=CachesSchema.model_validate(
            {**searcher.cache_figures(), "thumbnails": thumbnails.cache_figures()}
        ),
    )


def _gallery(serving: Serving) -> GallerySchema:
    commit = serving.gallery.commit
    return GallerySchema(
        photos=serving.gallery.photo_count,
        commit=commit.number,
        snapshot_rows=commit.snapshot.rows if commit.snapshot else 0,
        tail_rows=commit.tail_rows,
    )


def _pin(serving: Serving) -> PinSchema | None:
    pin = serving.pin
    return PinSchema(model_id=pin.model_id, commit=pin.commit, since=pin.since) if pin else None

"""Searching: a photo in, the catalog's most similar photos out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator

from lambdas.search.admission import Admission
from lambdas.search.errors import GALLERY_ERRORS, PHOTO_ERRORS
from lambdas.search.schemas import ResultsSchema, results_schema
from lens.photos.decoding import ACCEPTED
from lens.search.searcher import Searcher
from lens.settings import Settings


def search_routes(searcher: Searcher, searches: Admission, settings: Settings) -> APIRouter:
    """`/api/search-image`."""
    routes = APIRouter(route_class=searches.route_class())

    @routes.post("/api/search-image", responses=PHOTO_ERRORS | GALLERY_ERRORS)
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

    return routes


def _encodable(text: str | None) -> str | None:
    """ValueError for half a character, which UTF-7 and similar encodings can name."""
    if text is not None:
        text.encode()
    return text


def _refuse_query(request: Request) -> None:
    """A parameter in the wrong place is an error, because ignoring it would search everything."""
    if request.query_params:
        name = next(iter(request.query_params))
        detail = {"loc": ("query", name), "msg": "send it as a form field, beside the photo"}
        raise RequestValidationError([detail])

"""Searching: a photo in, the catalog's most similar photos out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import AfterValidator

from lambdas.search.admission import Admission
from lambdas.search.errors import GALLERY_ERRORS, PHOTO_ERRORS
from lambdas.search.fields import encodable, invalid, refuse_other_names
from lambdas.search.schemas import ResultsSchema, results_schema
from lens.errors import UsageError
from lens.photos.decoding import ACCEPTED
from lens.search.grouping import Group
from lens.search.queries import Asked, asked_region
from lens.search.searcher import Searcher
from lens.settings import Settings

_FIELDS = ("file", "top_k", "category", "region", "group")


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
            AfterValidator(encodable),
            Form(description="only this category and those under it", examples=["WOMEN/Dresses"]),
        ] = None,
        region: Annotated[
            str | None,
            Form(
                max_length=200,
                description="what to search for in the photo: a box x0,y0,x1,y1, or `whole`; "
                "without it, the main garment: the largest of the sure ones",
                examples=["0.21,0.1,0.79,0.89"],
            ),
        ] = None,
        group: Annotated[
            Group,
            Form(description="photo: every photo is a hit; item: each item once, sold out last"),
        ] = "photo",
    ) -> ResultsSchema:
        """The catalog's photos that are most similar to this one; none until there is a gallery."""
        _refuse_query(request)
        await _refuse_fields(request)
        asked = _asked(region or "")
        photo = await file.read()
        search = partial(
            searcher.search,
            photo,
            top_k=top_k,
            category=category or None,
            region=asked,
            group=group,
        )
        return results_schema(await searches.run(search, request), settings)

    return routes


def _asked(region: str) -> Asked:
    """What the form field asks for. Raises RequestValidationError for what is no region."""
    try:
        return asked_region(region)
    except UsageError as error:
        raise invalid("region", str(error)) from error


def _refuse_query(request: Request) -> None:
    """A parameter in the wrong place is an error, because ignoring it would search everything."""
    if request.query_params:
        name = next(iter(request.query_params))
        raise invalid(name, "send it as a form field, beside the photo")


async def _refuse_fields(request: Request) -> None:
    """A field of another name would be ignored, and everything searched; of two values of a field
    one would be ignored."""
    form = await request.form()  # it was read for the fields, and is kept
    refuse_other_names(form, _FIELDS)
    for name in _FIELDS:
        if len(form.getlist(name)) > 1:
            raise invalid(name, "send it once")

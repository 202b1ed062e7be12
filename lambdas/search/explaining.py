"""Explaining: a photo and a hit in, the parts of both that make them alike out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import AfterValidator, Field

from lambdas.search.admission import Admission
from lambdas.search.document import SEARCH
from lambdas.search.errors import GALLERY_ERRORS, PHOTO_ERRORS, documented
from lambdas.search.fields import encodable
from lambdas.search.parameters import Region, asked_of, refuse_other_fields
from lambdas.search.schema import Schema
from lens.errors import NotExplainedError, NotFoundError
from lens.models.regions import Box
from lens.photos.opening import ACCEPTED
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import Thumbnails
from lens.search.why import Part

_ERRORS = PHOTO_ERRORS | documented(NotFoundError, NotExplainedError) | GALLERY_ERRORS
_FIELDS = ("file", "photo_id", "region")


class PartSchema(Schema):
    """Which places of a photo make it like the other."""

    box: Box = Field(
        description="what the places cover, x0, y0, x1, y1 as fractions of the upright photo; the "
        "outermost may reach beyond it",
        examples=[(0.1, -0.02, 0.9, 1.02)],
    )
    places: list[list[float]] = Field(
        description="in rows from the top; 1 the strongest", examples=[[[0.1, 0.4], [1.0, 0.3]]]
    )
    fall: float = Field(
        description="how much the similarity fell when the strongest fifth was covered, just now",
        examples=[0.1421],
    )


class WhySchema(Schema):
    """Why a hit is like a photo; null for a photo of which nothing can be shown to be true."""

    query: PartSchema | None
    hit: PartSchema | None


def why_routes(searcher: Searcher, thumbnails: Thumbnails, searches: Admission) -> APIRouter:
    """`/api/why`, admitted as a search is."""
    routes = APIRouter(route_class=searches.route_class())

    @routes.post("/api/why", responses=_ERRORS, tags=[SEARCH])
    async def tell_why(
        request: Request,
        *,
        file: Annotated[UploadFile, File(description=f"the photo that was searched: {ACCEPTED}")],
        photo_id: Annotated[
            str, AfterValidator(encodable), Form(min_length=1, description="the hit's")
        ],
        region: Region = None,
    ) -> WhySchema:
        """Which parts of a photo and of a hit make the two alike; what is told was tried."""
        await refuse_other_fields(request, _FIELDS)
        asked = asked_of(region)
        tell = partial(searcher.why, await file.read(), photo_id, thumbnails, region=asked)
        why = await searches.run(tell, request)
        return WhySchema(query=_part(why.query), hit=_part(why.hit))

    return routes


def _part(part: Part | None) -> PartSchema | None:
    if part is None:
        return None
    x0, y0, x1, y1 = (round(edge, 4) for edge in part.box)
    places = [[round(float(place), 2) for place in row] for row in part.places]
    return PartSchema(box=(x0, y0, x1, y1), places=places, fall=round(part.fall, 4))

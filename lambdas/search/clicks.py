"""Clicks: what a page tells of a product that was clicked, into the search log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, ConfigDict, Field

from lambdas.search.document import SEARCH
from lambdas.search.errors import INVALID, MALFORMED, TOO_MANY_BYTES, documented
from lambdas.search.fields import encodable
from lambdas.search.schema import Schema
from lambdas.search.search_lines import LONGEST_ITEM_ID, SEARCH_ID
from lambdas.search.search_log import SearchLog
from lens.errors import NotFoundError

_ERRORS = documented(MALFORMED, NotFoundError, TOO_MANY_BYTES, INVALID)


class ClickSchema(Schema):
    """A click on the way to a product."""

    model_config = ConfigDict(extra="forbid")

    search_id: str = Field(
        pattern=SEARCH_ID, description="as the search's reply has it", examples=["Zk3vJ0uQx2Yb7PfA"]
    )
    item_id: Annotated[str, AfterValidator(encodable)] = Field(
        min_length=1, max_length=LONGEST_ITEM_ID, examples=["id_00000012"]
    )
    rank: int = Field(ge=1, le=10_000, strict=True, description="the hit's", examples=[1])


def click_routes(log: SearchLog) -> APIRouter:
    """`/api/clicks`."""
    routes = APIRouter()

    @routes.post("/api/clicks", status_code=204, tags=[SEARCH], responses=_ERRORS)
    async def tell_click(click: ClickSchema) -> None:
        """Notes that a product was clicked, for `lens report`; only where searches are kept."""
        log.clicked(click.search_id, click.item_id, click.rank)

    return routes

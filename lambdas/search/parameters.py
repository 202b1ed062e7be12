"""Parameters: what a search is asked with, the form fields that may be sent several times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import File, Form, Request, UploadFile
from pydantic import AfterValidator

from lambdas.search.fields import encodable, invalid, refuse_others
from lens.errors import UsageError
from lens.photos.opening import ACCEPTED
from lens.search.examples import MOST_EXAMPLES, MOST_PHOTOS, Examples
from lens.search.queries import Asked, asked_region

REPEATED = ("file", "like", "unlike")

Files = Annotated[
    list[UploadFile],
    File(
        default_factory=list,
        description=f"{ACCEPTED}; up to {MOST_PHOTOS} photos of one garment are searched as one",
        json_schema_extra={"maxItems": MOST_PHOTOS},
    ),
]
_Ids = list[Annotated[str, AfterValidator(encodable)]]
Likes = Annotated[
    _Ids,
    Form(
        default_factory=list,
        description="item_id or photo_id of what the hits are to be like, beside photos or "
        f"without; up to {MOST_EXAMPLES}, none of them a hit",
        json_schema_extra={"maxItems": MOST_EXAMPLES},
    ),
]
Unlikes = Annotated[
    _Ids,
    Form(
        default_factory=list,
        description="the same of what they are to be unlike",
        json_schema_extra={"maxItems": MOST_EXAMPLES},
    ),
]

Region = Annotated[
    str | None,
    Form(
        max_length=200,
        description="what to search for in the photo: a box x0,y0,x1,y1, or `whole`; "
        "without it, the main garment: the largest of the sure ones",
        examples=["0.21,0.1,0.79,0.89"],
    ),
]


def asked_of(region: str | None) -> Asked:
    """What the form field asks for. Raises RequestValidationError for what is no region."""
    try:
        return asked_region(region or "")
    except UsageError as error:
        raise invalid("region", str(error)) from error


def examples_of(like: Sequence[str], unlike: Sequence[str]) -> Examples:
    """Those that are sent, each once. Raises FieldError for what makes no sense."""
    return Examples(*(tuple(dict.fromkeys(filter(None, ids))) for ids in (like, unlike)))


def require_together(
    files: Sequence[UploadFile],
    url: str | None,
    item_id: str | None,
    examples: Examples,
    has_region: bool,
) -> None:
    """That what is searched for makes one search: of two things that exclude each other one would
    be ignored. Raises RequestValidationError."""
    given = {"file": bool(files), "url": bool(url), "item_id": bool(item_id)}
    names = [name for name, is_given in given.items() if is_given]
    if len(names) > 1:
        raise invalid(names[1], f"send it or {names[0]}, not both")
    if len(files) > MOST_PHOTOS:
        raise invalid("file", f"send at most {MOST_PHOTOS}")
    if item_id and examples:
        raise invalid("item_id", "send it as like, beside the others")
    if has_region and item_id:
        raise invalid("region", "an item has none; send a photo")
    if has_region and len(files) + bool(url) != 1:
        raise invalid("region", "it is for one photo; send that photo alone")
    if names or examples.like:
        return
    if examples.unlike:
        raise invalid("unlike", "send a photo, or like, beside it: nothing else is to be found")
    raise invalid("file", "send the photo as a file in the form field 'file', or a url or item_id")


async def refuse_other_fields(
    request: Request, fields: Sequence[str], repeated: Sequence[str] = ()
) -> None:
    """What is sent in the wrong place, under another name or twice would be ignored. Raises
    RequestValidationError."""
    if request.query_params:
        name = next(iter(request.query_params))
        raise invalid(name, "send it as a form field, beside the photo")
    # It was read for the fields, and is kept.
    refuse_others(await request.form(), fields, repeated)

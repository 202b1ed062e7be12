"""HTTP errors: the one table from exceptions to replies, the shape they share, their OpenAPI."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lambdas.search.body_limit import SMALL
from lambdas.search.schemas import REQUEST_ID, ErrorSchema
from lens.correlation import current_id
from lens.errors import (
    AddressRefusedError,
    ArtifactError,
    BrokenImageError,
    BusyError,
    CursorError,
    FetchError,
    FieldError,
    FilterError,
    LensError,
    NotAnImageError,
    NotExplainedError,
    NotFoundError,
    PhotoError,
    PhotoTooLargeError,
    SearchAgainError,
    StorageError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from lens.measures import Measure, tell
from lens.photos.opening import ACCEPTED

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refusal:
    """One kind of error reply, with an example of its message; from status 500 on, that is sent."""

    status: int
    code: str
    example: str


MALFORMED = Refusal(400, "malformed_request", "the request cannot be read: Invalid multipart data.")
INVALID = Refusal(422, "invalid_request", "top_k: Input should be less than or equal to 100")
INTERNAL = Refusal(500, "internal_error", "something failed here; try again")
NOT_FOUND = Refusal(404, "not_found", "no photo of the gallery shows the item 'id_00000012'")
METHOD = Refusal(405, "method_not_allowed", "GET is not possible here; use POST")
TOO_MANY_BYTES = Refusal(
    413, "too_many_bytes", "a photo may have at most 21.0 MB: send a smaller copy"
)

NO_KEY = Refusal(
    401, "no_key", "this needs a key: send it as Authorization: Bearer KEY, or as X-Api-Key: KEY"
)
PASSED_BY = Refusal(
    403, "passed_by", "this address answers nobody: use that of the page, https://find.shop.example"
)
TOO_OFTEN = Refusal(429, "too_often", "at most 60 requests a minute: try again in 3 seconds")
WRONG_HOST = Refusal(
    421,
    "wrong_host",
    "this server does not answer for 'other.example': add the name to LENS_ALLOWED_HOSTS",
)

# The nearest class that an exception is an instance of decides.
REFUSALS: dict[type[LensError], Refusal] = {
    NotAnImageError: Refusal(400, "not_an_image", f"this is not a photo; send a {ACCEPTED} file"),
    BrokenImageError: Refusal(
        400, "broken_image", "the photo is truncated or damaged; choose another file"
    ),
    PhotoError: Refusal(400, "unusable_photo", "this photo cannot be used; choose another file"),
    PhotoTooLargeError: TOO_MANY_BYTES,
    TooManyPixelsError: Refusal(
        413,
        "too_many_pixels",
        "the photo has 900.0 megapixels; at most 50.0 are accepted: send a smaller copy",
    ),
    UnsupportedImageError: Refusal(
        415,
        "unsupported_type",
        f"PDF files are not accepted; send a {ACCEPTED} file",
    ),
    FetchError: Refusal(
        422, "url_not_fetched", "the address cannot be fetched; check it, or send a file"
    ),
    AddressRefusedError: Refusal(
        422, "url_refused", "the address is not on the public internet; send a file"
    ),
    FieldError: INVALID,
    FilterError: Refusal(422, "invalid_filter", "there is no field 'colour'; did you mean color?"),
    CursorError: Refusal(
        422, "invalid_cursor", "it is damaged: send the text as the page before had it"
    ),
    SearchAgainError: Refusal(
        410, "search_again", "the catalog has changed since: search again, without the cursor"
    ),
    NotFoundError: NOT_FOUND,
    NotExplainedError: Refusal(
        404, "not_explained", "tiny-5b1f6c20e9aa cannot tell why photos are alike"
    ),
    ArtifactError: Refusal(
        503,
        "gallery_unavailable",
        "the gallery cannot be loaded now; try again in a minute; health says what heals it",
    ),
    StorageError: Refusal(
        503, "storage_unavailable", "the photos cannot be reached now; try again in a minute"
    ),
    BusyError: Refusal(
        503, "busy", "too many people are searching at this moment; try again in a few seconds"
    ),
    LensError: INTERNAL,
}

# What a machine may have none of for a moment; the next request may find some again.
_SCARCE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN}
_SCARCE_SECONDS = 2


def documented(*kinds: type[LensError] | Refusal) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's responses for these errors: one a status, with an example for every code."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        refusal = kind if isinstance(kind, Refusal) else REFUSALS[kind]
        empty = {"model": ErrorSchema, "content": {"application/json": {"examples": {}}}}
        response = responses.setdefault(refusal.status, empty)
        examples = response["content"]["application/json"]["examples"]
        examples[refusal.code] = {"value": _body(refusal.code, refusal.example, REQUEST_ID)}
        response["description"] = " or ".join(examples)
    return responses


def translate_errors(app: FastAPI, max_photo_bytes: int) -> None:
    """Make every error of this app reply in the same shape."""

    @app.exception_handler(LensError)
    async def lens_error(_: Request, error: LensError) -> JSONResponse:
        refusal = next(REFUSALS[kind] for kind in type(error).__mro__ if kind in REFUSALS)
        if refusal.status < 500:
            return reply(refusal, str(error))
        if isinstance(error, BusyError):  # health counts them; a log line for each would not help
            return reply(refusal, refusal.example, {"Retry-After": str(error.retry_after)})
        # Locations and causes go to the log; a shopper can only try again.
        log.error("%s: %s", refusal.code, error, exc_info=error)
        return reply(refusal, refusal.example)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        # Of a field that may be repeated, the value's number follows its name.
        where = next(str(part) for part in reversed(first["loc"]) if not isinstance(part, int))
        if where == "file" and "type" in first:  # in pydantic's words, which speak of its classes
            return reply(INVALID, "file: send the photo as a file in the form field 'file'")
        return reply(INVALID, f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        match error.status_code:
            case 404:
                return reply(NOT_FOUND, f"there is nothing at {request.url.path}")
            case 405:
                allowed = headers.get("Allow", "GET")  # what serves files names none
                headers["Allow"] = allowed
                if "GET" in allowed and "HEAD" not in allowed:
                    headers["Allow"] = f"{allowed}, HEAD"
                message = f"{request.method} is not possible here; use {allowed}"
                return reply(METHOD, message, headers)
            case 413 if (path := request.url.path) in SMALL:
                return reply(TOO_MANY_BYTES, f"{path} takes at most {SMALL[path]} bytes")
            case 413:
                size = f"{max_photo_bytes / 1e6:.1f} MB"
                return reply(
                    TOO_MANY_BYTES,
                    f"a photo, or several together, may have at most {size}: send a smaller copy",
                )
        refusal = Refusal(error.status_code, MALFORMED.code, "")
        return reply(refusal, f"the request cannot be read: {error.detail}", headers)

    @app.exception_handler(RuntimeError)
    @app.exception_handler(OSError)
    @app.exception_handler(MemoryError)
    async def scarce(_: Request, error: Exception) -> JSONResponse:
        if not _is_scarcity(error):
            raise error
        log.error(
            "this machine has too little of something: %s", str(error) or type(error).__name__
        )
        busy = REFUSALS[BusyError]
        return reply(busy, busy.example, {"Retry-After": str(_SCARCE_SECONDS)})

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        # Starlette raises it again once this is sent, so the server logs it, without our id.
        log.error("%s: %s", INTERNAL.code, type(error).__name__)
        return reply(INTERNAL, INTERNAL.example)


def _is_scarcity(error: Exception) -> bool:
    """Whether files, threads, memory or space lack, and nothing is wrong with the request."""
    if isinstance(error, OSError):
        return error.errno in _SCARCE
    return isinstance(error, MemoryError) or "can't start new thread" in str(error)


def _body(code: str, message: str, request_id: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "request_id": request_id}}


def reply(refusal: Refusal, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The error reply that says this."""
    # What is refused now may succeed in a moment: a cache must not keep it.
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if refusal.status >= 500:
        tell(Measure.FAILED, 1, refusal.code)
    return JSONResponse(_body(refusal.code, message, current_id()), refusal.status, headers)


# What routes can answer, for their OpenAPI.
PHOTO_ERRORS = documented(
    NotAnImageError,
    BrokenImageError,
    MALFORMED,
    PhotoTooLargeError,
    TooManyPixelsError,
    UnsupportedImageError,
    INVALID,
)
GALLERY_ERRORS = documented(ArtifactError, BusyError, StorageError)
LOOKUP_ERRORS = documented(NotFoundError, INVALID) | GALLERY_ERRORS
SIMILAR_ERRORS = (
    documented(NotFoundError, SearchAgainError, INVALID, FilterError, CursorError) | GALLERY_ERRORS
)

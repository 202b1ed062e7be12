"""The body limit: stops reading a request that is too large, at once if it announces its size, or
that comes too slowly."""

from __future__ import annotations

import time

from anyio import fail_after
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Where less than a photo is sent, in bytes. A click: the longest item id, all its signs escaped.
SMALL = {"/api/clicks": 8 * 1024}
# A body may take these seconds, and one more for so many bytes: slower than any phone's network.
_SECONDS, _BYTES_A_SECOND = 20.0, 16 * 1024


class BodyLimit:
    """ASGI middleware: reading more than `max_bytes` of a body, or than SMALL has for its path,
    raises HTTPException 413; waiting for one that comes too slowly, HTTPException 408.

    FastAPI's own `max_body_size` replies in plain text instead of in the shape of our errors.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = min(SMALL.get(scope["path"], self._max_bytes), self._max_bytes)
        told = Headers(scope=scope).get("content-length", "0")
        announced = int(told) if told.isascii() and told.isdigit() else 0
        received, whole = 0, False
        began = time.monotonic()

        async def counted() -> Message:
            nonlocal received, whole
            if announced > max_bytes:
                raise HTTPException(413)
            if whole:  # what comes now is that the caller hangs up
                return await receive()
            allowed = _SECONDS + received / _BYTES_A_SECOND
            try:
                with fail_after(max(0.0, began + allowed - time.monotonic())):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(408, "it came too slowly") from error
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if received > max_bytes:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)

"""The body limit: stops reading a request that is too large, at once if it announces its size."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Where less than a photo is sent, in bytes. A click: the longest item id, all its signs escaped.
SMALL = {"/api/clicks": 8 * 1024}


class BodyLimit:
    """ASGI middleware: reading more than `max_bytes` of a body, or than SMALL has for its path,
    raises HTTPException 413.

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
        announced = int(Headers(scope=scope).get("content-length", "0"))
        received = 0

        async def counted() -> Message:
            nonlocal received
            if announced > max_bytes:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)

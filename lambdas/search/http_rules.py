"""HTTP's rules for every reply: headers that keep browsers careful, HEAD for whatever has GET, and
when a copy is still good."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For what is no page of ours: nothing in it may run, load or be framed.
_CAREFUL = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class HttpRules:
    """ASGI middleware, around that for unexpected errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection. A reply's own headers stay."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"

        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _CAREFUL.items():
                    headers.setdefault(name, value)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if head:
            scope["method"] = "GET"
        try:
            await self._app(scope, receive, careful)
        finally:
            if head:  # what is around this one looks at it
                scope["method"] = "HEAD"


def is_still_good(etag: str, if_none_match: str) -> bool:
    """Whether a caller's copy is the one with this tag (RFC 9110, 13.1.2)."""
    held = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in ("*", etag.removeprefix("W/")) for tag in held)

"""The origin wall: where a firewall or a domain stands before the API, only what came through
CloudFront is answered, which brings a key that nobody else has."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lambdas.search.errors import PASSED_BY, reply
from lens.keys import opens

HEADER = "x-lens-origin"


class OriginWall:
    """ASGI middleware: 403 for a request without one of these keys."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            given = Headers(scope=scope).get(HEADER, "")
            if not opens(given.encode(), self._keys):
                await reply(PASSED_BY, PASSED_BY.example)(scope, receive, send)
                return
        await self._app(scope, receive, send)

"""API keys: who may enter. With keys set, everything but health wants one, the page too."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lambdas.search.errors import NO_KEY, reply
from lens.keys import given_key, opens

HEALTH = "/api/health"  # asked by those who watch over the process, and it names nothing secret
# Browsers ask for a password at the first, and send it with all that the page then loads.
_CHALLENGES = ('Basic realm="Image Lens", charset="UTF-8"', 'Bearer realm="Image Lens"')


class KeyWall:
    """ASGI middleware: 401 for a request without one of these keys."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        wanted = scope["type"] == "http" and scope["path"] != HEALTH
        if wanted and not opens(given_key(Headers(scope=scope)), self._keys):
            refusal = reply(NO_KEY, NO_KEY.example)
            for challenge in _CHALLENGES:
                refusal.headers.append("WWW-Authenticate", challenge)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

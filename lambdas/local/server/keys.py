"""API keys: who may enter. With keys set, everything but health wants one, the page too."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lambdas.search.errors import NO_KEY, reply

HEALTH = "/api/health"  # asked by those who watch over the process, and it names nothing secret
# Browsers ask for a password at the first, and send it with all that the page then loads.
_CHALLENGES = ('Basic realm="Image Lens", charset="UTF-8"', 'Bearer realm="Image Lens"')


class KeyWall:
    """ASGI middleware: 401 for a request without one of these keys."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and scope["path"] != HEALTH:
            given = given_key(Headers(scope=scope))
            # In a time that does not tell how much of a key was right.
            if not any(hmac.compare_digest(given, key) for key in self._keys):
                refusal = reply(NO_KEY, NO_KEY.example)
                for challenge in _CHALLENGES:
                    refusal.headers.append("WWW-Authenticate", challenge)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def given_key(headers: Headers) -> bytes:
    """The key that a request brings: a token, a browser's password, or X-Api-Key; else empty."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip().encode()
        case "basic":
            try:
                return b64decode(value, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return b""
    return headers.get("x-api-key", "").encode()

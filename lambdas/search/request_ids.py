"""Request ids: by which a reply, the log and whoever reports a trouble name a request."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lens.correlation import correlated, is_id, new_id
from lens.traces import span

HEADER = "X-Request-Id"


class Identified:
    """ASGI middleware, around all that replies: what a request does belongs to its id, and the
    reply names it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with correlated(request_id), span("request"):
            await self._app(scope, receive, named)


def _id_of(scope: Scope) -> str:
    """API Gateway's own, which its access log has; else what the caller chose, else a new one."""
    event = scope.get("aws.event") or {}
    gateway = event.get("requestContext", {}).get("requestId", "")
    if is_id(gateway):
        return str(gateway)
    chosen = Headers(scope=scope).get(HEADER, "")
    return chosen if is_id(chosen) else new_id()

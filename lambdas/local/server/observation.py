"""Observation: what is told of each request once it has been answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambdas.search.request_ids import HEADER

_HUNG_UP = 499  # nginx's status for a caller that disconnected before the answer
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


@dataclass(frozen=True)
class Answered:
    """One request. It has neither the caller's address nor anything that the caller wrote, but for
    an id that it may have chosen: the route is a template like /api/items/{item_id}, a method that
    is none of HTTP's is OTHER."""

    at: float  # seconds since the epoch
    method: str
    route: str
    status: int
    seconds: float  # until the last byte was handed over
    sent_bytes: int
    request_id: str = ""


class Observed:
    """ASGI middleware, the outermost: tells the observers of each request."""

    def __init__(self, app: ASGIApp, observers: Sequence[Callable[[Answered], None]]) -> None:
        self._app = app
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at, began = time.time(), time.perf_counter()
        status, sent_bytes, request_id = _HUNG_UP, 0, ""

        async def counted(message: Message) -> None:
            nonlocal status, sent_bytes, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = Headers(raw=message["headers"]).get(HEADER, "")
            sent_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            seconds = time.perf_counter() - began
            route = _route(scope)
            answered = Answered(at, method, route, status, seconds, sent_bytes, request_id)
            for observe in self._observers:
                observe(answered)


def _route(scope: Scope) -> str:
    """The template that the router found; none where a wall refused, `page` for its files."""
    if "endpoint" not in scope:
        return "none"
    route = scope.get("route")
    return "page" if route is None or isinstance(route, Mount) else str(route.path)

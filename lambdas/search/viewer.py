"""The viewer: host and path as CloudFront was asked for them, which API Gateway does not pass on.

API Gateway puts its own name into Host, and decodes the path. A function in CloudFront
(cdk/website.py) keeps what it was asked for in two headers. Whoever calls API Gateway directly may
send these too, and deceives nobody else: no reply that depends on them may be stored.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

HOST, PATH = "x-lens-host", "x-lens-path"
ORIGIN = "lens.origin"  # in the scope; addresses.py begins addresses with it


class Viewed:
    """ASGI middleware: puts what the viewer asked for into the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        headers = Headers(scope=scope)
        # API Gateway's own name leads to no photo: without CloudFront's, addresses stay paths.
        scope[ORIGIN] = f"https://{headers[HOST]}/" if HOST in headers else ""
        if PATH in headers:
            scope["raw_path"] = headers[PATH].encode()
        await self._app(scope, receive, send)

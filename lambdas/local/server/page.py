"""The page's files, with the headers that restrict what a browser may load."""

from __future__ import annotations

from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

# Everything that the page needs comes from its own origin, and no script or style is inline; blob:
# and data: are pictures that the page itself makes.
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # a new version of the page is seen at once
}


class Page(StaticFiles):
    """The page as an ASGI app."""

    def __init__(self) -> None:
        super().__init__(directory=frontend_folder(), html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file of the page."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def frontend_folder() -> Path:
    """Where the page lies: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).with_name("frontend")
    return installed if installed.is_dir() else Path(__file__).parents[3] / "frontend"

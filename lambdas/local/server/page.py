"""The page's files, compressed, with the headers that restrict what a browser may load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Scope


def page(frame_ancestors: Sequence[str] = ()) -> ASGIApp:
    """The page as an ASGI app; the pages of these sites may show it in a frame."""
    return GZipMiddleware(_Files(headers(frame_ancestors)))


def headers(frame_ancestors: Sequence[str] = ()) -> dict[str, str]:
    """What every file comes with.

    Everything that the page needs comes from its own origin, and no script or style is inline;
    blob: and data: are pictures that the page itself makes.
    """
    frames = " ".join(frame_ancestors) or "'none'"
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {frames}",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",  # a new version of the page is seen at once
    }


class _Files(StaticFiles):
    def __init__(self, added: dict[str, str]) -> None:
        super().__init__(directory=frontend_folder(), html=True)
        self._added = added

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(self._added)
        return response


def frontend_folder() -> Path:
    """Where the page lies: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).with_name("frontend")
    return installed if installed.is_dir() else Path(__file__).parents[3] / "frontend"

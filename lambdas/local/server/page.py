"""The page's files, compressed, with the headers that restrict what a browser may load."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from stat import S_ISREG

from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.types import Scope

from lambdas.search.http_rules import is_still_good


def page(frame_ancestors: Sequence[str] = ()) -> Mount:
    """The page as a route; the pages of these sites may show it in a frame."""
    return _Page("/", _Files(headers(frame_ancestors)), name="page")


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


class _Page(Mount):
    """All but the API's own paths: its routes say which methods they have."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if str(scope["path"]).startswith("/api/"):
            return Match.NONE, {}
        return super().matches(scope)


@dataclass(frozen=True)
class _File:
    """A file in memory, as it is and compressed."""

    version: str
    plain: bytes
    packed: bytes


class _Files(StaticFiles):
    """A page of some thirty files: each is read and compressed once until it changes."""

    def __init__(self, added: dict[str, str]) -> None:
        super().__init__(directory=frontend_folder())
        self._added = {**added, "Vary": "Accept-Encoding"}
        self._kept: dict[str, _File] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file; errors are the superclass's."""
        full, found = self.lookup_path("index.html" if path == "." else path)
        if not found or not S_ISREG(found.st_mode) or scope["method"] not in ("GET", "HEAD"):
            return await super().get_response(path, scope)
        file = self._file(full, f'W/"{found.st_mtime_ns:x}-{found.st_size:x}"')
        asked = Headers(scope=scope)
        headers = {**self._added, "ETag": file.version}
        if is_still_good(file.version, asked.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        kind = guess_type(full)[0]
        if "gzip" not in asked.get("accept-encoding", ""):
            return Response(file.plain, headers=headers, media_type=kind)
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=kind)

    def _file(self, full: str, version: str) -> _File:
        file = self._kept.get(full)
        if file is None or file.version != version:
            plain = Path(full).read_bytes()
            file = self._kept[full] = _File(version, plain, gzip.compress(plain, mtime=0))
        return file


def frontend_folder() -> Path:
    """Where the page lies: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).with_name("frontend")
    return installed if installed.is_dir() else Path(__file__).parents[3] / "frontend"

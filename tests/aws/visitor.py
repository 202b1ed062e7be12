"""A visitor: sends requests to CloudFront's address as a browser does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.aws.deployment import Deployment


class Visitor:
    """Sends requests to the emulator with the page's host name, marked as HTTPS."""

    def __init__(self, deployment: Deployment) -> None:
        self._page = deployment.outputs["PageUrl"]
        host = self._page.removeprefix("https://")
        self._http = httpx.Client(
            base_url=deployment.emulator.address,
            headers={"Host": host, "X-Forwarded-Proto": "https"},
            timeout=60,
            trust_env=False,
        )

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """GET a path, or an address of a reply."""
        return self._http.get(path.removeprefix(self._page), headers=headers)

    def search(self, photo: Path | bytes, top_k: int = 12) -> httpx.Response:
        """Search with a photo, as the page does."""
        data = photo if isinstance(photo, bytes) else photo.read_bytes()
        return self._http.post(
            "/api/search-image",
            files={"file": ("photo.jpg", data, "image/jpeg")},
            data={"top_k": str(top_k)},
        )

    def click(self, click: dict[str, object]) -> httpx.Response:
        """Tell of a click, as the page does."""
        return self._http.post("/api/clicks", json=click)

    def hits(self, photo: Path | bytes, top_k: int = 12) -> list[dict[str, Any]]:
        """The hits of a search."""
        found = self.search(photo, top_k).raise_for_status().json()["hits"]
        assert isinstance(found, list)
        return found

    def health(self) -> dict[str, Any]:
        """The reply of /api/health."""
        told = self.get("/api/health").json()
        assert isinstance(told, dict)
        return told

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

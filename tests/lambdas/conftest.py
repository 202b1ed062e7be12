"""A shop: a catalog folder, a tiny real model, its gallery, and the API over them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import ASGIApp

from lambdas.local.pipeline import Pipeline
from lambdas.search.app import create_app
from lens.pipeline.promote import promote
from lens.search.searcher import Searcher
from lens.settings import Settings
from tests.support.tiny_model import png, write_tiny_model


class Client:
    """Sends requests straight into an app, without a server."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = ASGITransport(app, raise_app_exceptions=False)

    def request(self, method: str, path: str, **parts: Any) -> Response:
        """The reply to one request, its parts as in `httpx.request`."""

        async def send() -> Response:
            async with AsyncClient(transport=self._transport, base_url="http://shop") as client:
                return await client.request(method, path, **parts)

        return asyncio.run(send())

    def get(self, path: str, **parts: Any) -> Response:
        """GET."""
        return self.request("GET", path, **parts)

    def post(self, path: str, **parts: Any) -> Response:
        """POST."""
        return self.request("POST", path, **parts)


class Shop:
    """Everything behind the API on this machine; what it holds changes as in production."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.folder = root / "catalog"
        self.folder.mkdir(parents=True)
        self.settings = Settings(
            catalog=str(self.folder), artifacts=str(root / "artifacts"), threads=2, **settings
        )
        self.pipeline = Pipeline(self.settings)
        artifacts = self.pipeline.artifacts
        self.searcher = Searcher(
            artifacts, self.settings.query_limits, self.settings.cached_results
        )
        self.app: FastAPI = create_app(self.settings, self.searcher)
        self.client = Client(self.app)

    def open(self, model_id: str | None = None) -> None:
        """Promote a model, the tiny one by default, and index the folder."""
        artifacts = self.pipeline.artifacts
        model_id = model_id or write_tiny_model(artifacts).model_id
        promote(artifacts, self.pipeline.catalog, model_id, self.pipeline.look)

    def put(self, key: str, data: bytes) -> None:
        """Add or replace a photo; `settle` makes it searchable."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def remove(self, key: str) -> None:
        """Delete a photo; `settle` takes it out of the gallery."""
        (self.folder / key).unlink()

    def settle(self) -> None:
        """Bring the gallery in line with the folder."""
        self.pipeline.reconcile()

    def search(self, photo: bytes, **fields: Any) -> Response:
        """POST /api/search-image."""
        return self.client.post("/api/search-image", files={"file": photo}, data=fields)

    def keys(self, photo: bytes, **fields: Any) -> list[str]:
        """The keys of a search's hits."""
        reply = self.search(photo, **fields)
        assert reply.status_code == 200, reply.text
        return [hit["key"] for hit in reply.json()["hits"]]

    def health(self) -> dict[str, Any]:
        """GET /api/health."""
        reply = self.client.get("/api/health")
        assert reply.status_code == 200
        answer: dict[str, Any] = reply.json()
        return answer


MakeShop = Callable[..., Shop]

# Key by seed of its photo. Item "WOMEN/Dresses/id_1" has two photos.
STOCK = {
    "img/WOMEN/Dresses/id_1/front.png": 1,
    "img/WOMEN/Dresses/id_1/back.png": 2,
    "img/WOMEN/Tops/id_2/front.png": 3,
    "img/MEN/Shirts/id_3/front.png": 4,
    "img/MENSWEAR/Shirts/id_4/front.png": 5,
    "loose photo.png": 6,
}


@pytest.fixture
def make_shop(tmp_path: Path) -> MakeShop:
    """Makes shops that are still empty, with these settings."""
    numbers = itertools.count()
    return lambda **settings: Shop(tmp_path / f"shop{next(numbers)}", **settings)


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    """A shop with six photos, indexed."""
    shop = make_shop()
    for key, seed in STOCK.items():
        shop.put(key, png(seed))
    shop.open()
    return shop

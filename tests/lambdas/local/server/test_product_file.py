"""A product file under `lens serve`: an edit is found at once, and damage costs nothing else.

What it takes: `pytest -s tests/lambdas/local/server/test_product_file.py` prints the seconds.
Covers: watcher.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.serving import Server, serving
from tests.lambdas.local.photos import garment, write_photos

pytestmark = pytest.mark.slow
_SECONDS = 30.0  # when the test gives up


def _until(what: Callable[[], bool]) -> float:
    """The seconds until something is so."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < _SECONDS, "it never came"
        time.sleep(0.02)
    return time.monotonic() - began


def _product(server: Server, photo: bytes) -> dict[str, Any] | None:
    reply = httpx.post(f"{server.address}/api/search-image", files={"file": photo}, timeout=30)
    product: dict[str, Any] | None = reply.json()["hits"][0]["product"]
    return product


def test_an_edited_price_is_found_and_a_damaged_file_costs_nothing(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, range(4))
    photo = garment(600)
    (photos / "SKU-9").mkdir()
    (photos / "SKU-9" / "1.jpg").write_bytes(photo)
    feed = photos / "products.csv"
    feed.write_text("id,title,price\nSKU-9,Dress,25.00 EUR\n")
    (photos / ".lensignore").write_text("*.csv\n")  # it leaves out photos, and the feed is none
    with serving(photos, tmp_path / "made", 5) as server:

        def costs(amount: str) -> bool:
            product = _product(server, photo)
            return product is not None and product["price"]["amount"] == amount

        _until(lambda: costs("25.00"))
        feed.write_text("id,title,price\nSKU-9,Dress,19.90 EUR\n")
        print(f"price to found: {_until(lambda: costs('19.90')):.2f} s")
        for damaged in ("", "id,title\n", "nothing at all"):
            feed.write_text(damaged)
            new = garment(700 + len(damaged))
            (photos / f"new{len(damaged)}.jpg").write_bytes(new)
            key = f"new{len(damaged)}.jpg"

            def shows(new: bytes = new, key: str = key) -> bool:
                reply = httpx.post(
                    f"{server.address}/api/search-image", files={"file": new}, timeout=30
                )
                return bool(reply.json()["hits"][0]["key"] == key)

            _until(shows)
            assert costs("19.90")
        feed.write_text("id,title,price\nSKU-9,Dress,9.00 EUR\n")
        _until(lambda: costs("9.00"))
        feed.unlink()
        _until(lambda: _product(server, photo) is None)

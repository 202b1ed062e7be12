"""`/api/search-image` by an address or an item in place of a photo.

Covers: searching, errors.
"""

from __future__ import annotations

from typing import Any

import pytest

from lens.fetching.fetch import Fetcher
from tests.lambdas.conftest import STOCK, MakeShop, Shop
from tests.support.tiny_model import png

URL = "/api/search-image"
ITEM = "WOMEN/Dresses/id_1"
ADDRESS = "https://shop.example/photo.png"


def test_an_item_finds_what_is_similar_to_it(shop: Shop) -> None:
    found = shop.client.post(URL, data={"item_id": ITEM, "top_k": "3"}).json()
    similar = shop.client.get(f"/api/items/{ITEM}/similar?top_k=3").json()
    assert found["hits"] == similar["hits"] != []
    assert shop.client.post(URL, data={"item_id": "none"}).status_code == 404


def test_an_address_finds_what_its_photo_finds(
    make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(fetch_urls=True)
    for key, seed in STOCK.items():
        shop.put(key, png(seed))
    shop.open()
    monkeypatch.setattr(Fetcher, "fetch", lambda _, url: png(3) if url == ADDRESS else b"")
    assert shop.client.post(URL, data={"url": ADDRESS}).json() == shop.search(png(3)).json()


def test_an_address_inside_is_refused(make_shop: MakeShop) -> None:
    shop = make_shop(fetch_urls=True)
    for address in ("https://127.0.0.1/", "https://169.254.169.254/", "http://shop.example/"):
        reply = shop.client.post(URL, data={"url": address})
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, "url_refused")
        assert "169.254" not in reply.text


def test_addresses_are_fetched_only_where_it_is_set(shop: Shop) -> None:
    reply = shop.client.post(URL, data={"url": ADDRESS})
    assert reply.status_code == 422
    assert "LENS_FETCH_URLS is off" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"data": {"top_k": "3"}}, "file: send the photo"),
        ({"data": {"url": "", "item_id": ""}}, "file: send the photo"),
        ({"data": {"url": ADDRESS, "item_id": ITEM}}, "item_id: send it or url, not both"),
        ({"files": {"file": png(1)}, "data": {"url": ADDRESS}}, "url: send it or file, not both"),
        ({"data": {"item_id": ITEM, "region": "whole"}}, "region: an item has none"),
    ],
)
def test_one_thing_is_searched_for(shop: Shop, parts: dict[str, Any], told: str) -> None:
    reply = shop.client.post(URL, **parts)
    assert reply.status_code == 422
    assert reply.json()["error"]["message"].startswith(told)

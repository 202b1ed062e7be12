"""Addresses in replies: whole ones for other callers, paths for the page, none that was forged.

Covers: addresses.
"""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.local.server.app import local_app
from lens.settings import Settings
from lens.storage.formats import announce_format
from tests.lambdas.conftest import Client, MakeShop, Shop
from tests.support.tiny_model import png

PAGE = {"Sec-Fetch-Site": "same-origin"}  # of a browser, for a page of this server


def _begin(answer: Any) -> set[str]:
    """What the addresses of a reply's photos begin with."""
    if isinstance(answer, list):
        return set[str]().union(*map(_begin, answer))
    if not isinstance(answer, dict):
        return set()
    found = {answer[name].partition(path)[0] for name, path in PATHS.items() if name in answer}
    return found.union(*map(_begin, answer.values()))


PATHS = {"image_url": "/catalog/", "thumb_url": "/api/thumb/"}
ASKED = [
    "/api/items/WOMEN/Dresses/id_1",
    "/api/items/WOMEN/Dresses/id_1/similar",
    "/api/categories",
]


@pytest.mark.parametrize("path", ASKED)
def test_every_reply_has_paths_for_the_page_and_whole_addresses_for_others(
    shop: Shop, path: str
) -> None:
    assert _begin(shop.client.get(path).json()) == {"http://shop"}
    assert _begin(shop.client.get(path, headers=PAGE).json()) == {""}
    for site in ("cross-site", "same-site", "none"):
        reply = shop.client.get(path, headers={"Sec-Fetch-Site": site})
        assert _begin(reply.json()) == {"http://shop"}


def test_a_search_has_them_too(shop: Shop) -> None:
    def asked(**headers: str) -> set[str]:
        reply = shop.client.post("/api/search-image", files={"file": png(1)}, headers=headers)
        assert reply.headers["cache-control"] == "no-store"
        return _begin(reply.json())

    assert asked() == asked(Origin="https://shop.example") == {"http://shop"}
    assert asked(**PAGE) == {""}
    assert asked(Host="lens.shop.example:8443") == {"http://lens.shop.example:8443"}


def test_a_link_that_is_a_path_begins_with_the_shop_s_address(make_shop: MakeShop) -> None:
    """Shopify's export tells no address; without the shop's there is no link, never half of one."""
    shop = make_shop()
    announce_format(shop.pipeline.artifacts, 0.0)
    shop.put("B-1.jpg", png(1))
    shop.put(
        "products.csv",
        b"Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
        b"blue boot,Boot,Size,40,B-1,10\nblue boot,,Size,41,B-2,10\n",
    )
    shop.open()

    def links(**settings: object) -> list[str]:
        changed = Settings.model_validate({**shop.settings.model_dump(), **settings})
        client = Client(local_app(changed, shop.searcher, shop.pipeline.catalog))
        reply = client.post(
            "/api/search-image", files={"file": png(1)}, headers={"Host": "localhost"}
        )
        assert reply.status_code == 200, reply.text
        product = reply.json()["hits"][0]["product"]
        return [product["link"], *(each["link"] for each in product["variants"])]

    assert links() == [""] * 3
    told = links(shop_url="https://shop.example")
    assert told == ["https://shop.example/products/blue%20boot"] * 3


def test_a_public_address_is_everybodys_whatever_name_was_used(make_shop: MakeShop) -> None:
    shop = make_shop(public_url="https://lens.shop.example")
    shop.put("a/1.png", png(1))
    shop.open()
    for headers in ({}, {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        reply = shop.client.get("/api/categories", headers=headers)
        assert _begin(reply.json()) == {"https://lens.shop.example"}
    assert _begin(shop.client.get("/api/categories", headers=PAGE).json()) == {""}


def test_a_cdn_of_the_shops_own_stays_as_it_was_set(make_shop: MakeShop) -> None:
    shop = make_shop(image_url="https://cdn.shop.example/photos/")
    shop.put("a/1.png", png(1))
    shop.open()
    for headers in ({}, PAGE):
        hit = shop.client.post("/api/search-image", files={"file": png(1)}, headers=headers)
        assert hit.json()["hits"][0]["image_url"] == "https://cdn.shop.example/photos/a/1.png"


def test_a_name_that_nobody_allowed_reaches_no_reply(shop: Shop) -> None:
    changed = Settings.model_validate(
        {**shop.settings.model_dump(), "allowed_hosts": "lens.shop.example"}
    )
    client = Client(local_app(changed, shop.searcher, shop.pipeline.catalog))
    told = {"Host": "lens.shop.example", "X-Forwarded-Host": "evil.example"}
    reply = client.get("/api/categories", headers={**told, "X-Lens-Host": "evil.example"})
    assert _begin(reply.json()) == {"http://lens.shop.example"}
    refused = client.get("/api/categories", headers={"Host": "evil.example"})
    assert refused.status_code == 421

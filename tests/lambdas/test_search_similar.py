"""`/api/items/{id}/similar`: what is like an item, without a photo being sent.

Covers: lookups, fields.
"""

from __future__ import annotations

import pytest

from tests.lambdas.conftest import MakeShop, Shop
from tests.support.tiny_model import png

ITEM = "WOMEN/Dresses/id_1"


def test_the_other_items_come_once_each_the_most_similar_first(shop: Shop) -> None:
    reply = shop.client.get(f"/api/items/{ITEM}/similar")
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    found = reply.json()
    assert (found["item_id"], found["commit"]) == (ITEM, 1)
    items = [hit["item_id"] for hit in found["hits"]]
    assert ITEM not in items
    assert len(items) == len(set(items)) == 4
    similarities = [hit["similarity"] for hit in found["hits"]]
    assert similarities == sorted(similarities, reverse=True)
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4]
    assert not any(hit["exact"] for hit in found["hits"])
    assert shop.client.get(found["hits"][0]["thumb_url"]).status_code == 200


def test_top_k_and_category_narrow_it(shop: Shop) -> None:
    address = f"/api/items/{ITEM}/similar"
    assert len(shop.client.get(address, params={"top_k": 2}).json()["hits"]) == 2
    tops = shop.client.get(address, params={"category": "WOMEN"}).json()["hits"]
    assert [hit["item_id"] for hit in tops] == ["WOMEN/Tops/id_2"]


def test_a_new_photo_is_similar_at_once_and_a_deleted_item_is_not(shop: Shop) -> None:
    address = f"/api/items/{ITEM}/similar"
    shop.client.get(address)
    shop.remove("img/WOMEN/Tops/id_2/front.png")
    shop.settle()
    assert "WOMEN/Tops/id_2" not in str(shop.client.get(address).json())
    assert shop.client.get("/api/items/WOMEN/Tops/id_2/similar").status_code == 404


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("topk=3", "topk: there is no such field; did you mean top_k?"),
        ("colour=red", "colour: there is no such field; there are: top_k, category"),
        ("top_k=0", "top_k: "),
        ("top_k=x", "top_k: "),
    ],
)
def test_a_wrong_parameter_is_refused(shop: Shop, query: str, told: str) -> None:
    reply = shop.client.get(f"/api/items/{ITEM}/similar?{query}")
    assert reply.status_code == 422
    assert reply.json()["error"]["message"].startswith(told)


def test_what_is_not_there_is_not_found(shop: Shop, make_shop: MakeShop) -> None:
    empty = make_shop()
    for each in (shop, empty):
        reply = each.client.get("/api/items/no/such/similar")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
        assert "'no/such'" in reply.json()["error"]["message"]


def test_an_item_whose_id_ends_in_similar_is_looked_up_with_its_slash_encoded(
    shop: Shop,
) -> None:
    shop.put("img/WOMEN/similar/front.png", png(7))
    shop.settle()
    asked = shop.client.get("/api/items/WOMEN%2Fsimilar")
    assert (asked.status_code, asked.json()["item_id"]) == (200, "WOMEN/similar")
    for address in ("WOMEN/similar/similar", "WOMEN%2Fsimilar/similar"):
        reply = shop.client.get(f"/api/items/{address}")
        assert (reply.status_code, reply.json()["item_id"]) == (200, "WOMEN/similar")

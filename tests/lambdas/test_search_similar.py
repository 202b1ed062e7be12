"""`/api/items/{id}/similar`: what is like an item, without a photo being sent.

Covers: lookups, fields, called.
"""

from __future__ import annotations

import pytest

from lens.storage.formats import announce_format
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


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """The shop with a product file, whose ids are not the catalog's."""
    rows = ("D1-S,Dress,20 EUR,id_1", "D1-M,Dress,21 EUR,id_1", "GONE,No photo,1 EUR,")
    announce_format(shop.pipeline.artifacts, 0.0)
    shop.put("products.csv", "\n".join(("id,title,price,item_group_id", *rows)).encode())
    shop.settle()
    return shop


@pytest.mark.parametrize("name", ["D1-M", "ID_1", "id_1", "Dresses/id_1"])
def test_an_item_is_asked_for_by_the_shop_s_ids_too(sold: Shop, name: str) -> None:
    expected = sold.client.get(f"/api/items/{ITEM}/similar").json()["hits"]
    found = sold.client.get(f"/api/items/{name}/similar").json()
    assert (found["item_id"], found["hits"]) == (name, expected)
    by_form = sold.client.post("/api/search-image", data={"item_id": name}).json()
    assert by_form["hits"] == expected
    item = sold.client.get(f"/api/items/{name}").json()
    assert (item["item_id"], item["product"]["item_group_id"]) == (ITEM, "id_1")
    liked, same = (
        sold.client.post("/api/search-image", data={"like": each}).json()["hits"]
        for each in (name, ITEM)
    )
    assert liked == same and ITEM not in str(liked)


def test_a_product_without_a_photo_is_not_found_and_one_cannot_be_liked_and_unliked(
    sold: Shop,
) -> None:
    reply = sold.client.get("/api/items/GONE/similar")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
    both = sold.client.post("/api/search-image", data={"like": ITEM, "unlike": "D1-S"})
    assert both.status_code == 422
    assert both.json()["error"]["message"].startswith(f"unlike: '{ITEM}' is in like too")


def test_without_a_product_file_the_folder_s_name_is_enough_while_it_is_one(shop: Shop) -> None:
    expected = shop.client.get(f"/api/items/{ITEM}/similar").json()["hits"]
    assert shop.client.get("/api/items/id_1/similar").json()["hits"] == expected
    assert shop.client.get("/api/items/d_1/similar").status_code == 404
    shop.put("img/MEN/Coats/id_1/front.png", png(77))
    shop.settle()
    reply = shop.client.get("/api/items/id_1/similar")
    told = f"2 items are called 'id_1': MEN/Coats/id_1, {ITEM}; name one"
    assert (reply.status_code, reply.json()["error"]["message"]) == (404, told)


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

"""The API with a product file: prices, links and variants of what is found; items as hits.

Covers: searching, lookups, schemas.
"""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.search.app import create_app
from lens.search.searcher import Searcher
from lens.storage.formats import announce_format
from tests.lambdas.conftest import STOCK, Client, MakeShop, Shop
from tests.support.tiny_model import png

FEED = """id,item_group_id,title,link,image_link,price,sale_price,availability,brand,color,size
d-S,id_1,Dress,https://shop.example/d?s=S,WOMEN/x.png,25.00 EUR,19.90 EUR,in stock,B,Red,S
d-M,id_1,Dress,https://shop.example/d?s=M,,25.00 EUR,,out of stock,B,Red,M
id_2,,Top,not an address,,cheap,,,,,
id_3,,Shirt,,,10.00 EUR,,out of stock,,,
"""


@pytest.fixture
def sold(make_shop: MakeShop) -> Shop:
    """The shop of six photos, with a product file."""
    shop = make_shop()
    announce_format(shop.pipeline.artifacts, 0.0)
    for key, seed in STOCK.items():
        shop.put(key, png(seed))
    shop.put("products.csv", FEED.encode())
    shop.open()
    return shop


def hits(shop: Shop, seed: int, **fields: Any) -> list[dict[str, Any]]:
    reply = shop.search(png(seed), **fields)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["hits"]
    return found


def test_a_hit_says_what_the_product_file_says_of_it(sold: Shop) -> None:
    product = hits(sold, 1)[0]["product"]
    variants = product.pop("variants")
    assert product == {
        "id": "d-S",
        "link": "https://shop.example/d?s=S",
        "price": {"amount": "25.00", "currency": "EUR"},
        "sale_price": {"amount": "19.90", "currency": "EUR"},
        "availability": "in_stock",
        "color": "Red",
        "size": "S",
        "title": "Dress",
        "brand": "B",
        "item_group_id": "id_1",
    }
    assert [each["id"] for each in variants] == ["d-S", "d-M"]
    assert variants[1]["availability"] == "out_of_stock"


def test_a_bad_field_costs_itself_and_a_photo_without_a_product_has_none(sold: Shop) -> None:
    product = hits(sold, 3)[0]["product"]
    assert (product["title"], product["link"], product["price"]) == ("Top", "", None)
    assert product["variants"] == []
    assert hits(sold, 6)[0]["product"] is None


def test_an_item_has_its_product(sold: Shop) -> None:
    item = hits(sold, 1)[0]["item_id"]
    assert sold.client.get(f"/api/items/{item}").json()["product"]["title"] == "Dress"
    similar = sold.client.get(f"/api/items/{item}/similar").json()["hits"]
    assert {hit["product"]["title"] for hit in similar if hit["product"]} == {"Top", "Shirt"}


def test_a_changed_price_is_found_and_embeds_nothing(sold: Shop) -> None:
    segments = list(sold.pipeline.artifacts.list("segments/"))
    sold.put("products.csv", FEED.replace("19.90", "9.90").encode())
    sold.settle()
    assert hits(sold, 1)[0]["product"]["sale_price"]["amount"] == "9.90"
    assert list(sold.pipeline.artifacts.list("segments/")) == segments


def test_a_file_that_cannot_be_used_changes_nothing_and_photos_still_come(sold: Shop) -> None:
    sold.put("products.csv", b"\x00\xff rubbish")
    sold.put("new/1.png", png(9))
    sold.settle()
    assert hits(sold, 1)[0]["product"]["title"] == "Dress"
    assert hits(sold, 9)[0]["key"] == "new/1.png"


def test_items_come_once_each_and_what_is_sold_out_last(sold: Shop) -> None:
    found = hits(sold, 4, group="item")
    items = [hit["item_id"] for hit in found]
    assert len(items) == len(set(items)) == 5
    assert [hit["rank"] for hit in found] == [1, 2, 3, 4, 5]
    assert found[-1]["product"]["title"] == "Shirt"
    assert hits(sold, 4)[0]["product"]["title"] == "Shirt"  # photos are by similarity alone
    assert len(hits(sold, 4, group="item", top_k=2)) == 2


def test_another_group_is_refused(sold: Shop) -> None:
    reply = sold.search(png(1), group="color")
    assert reply.status_code == 422
    assert reply.json()["error"]["message"].startswith("group: ")


def test_an_amount_alone_is_in_the_shop_s_currency_everywhere(make_shop: MakeShop) -> None:
    """Of two products one names its own."""
    shop = make_shop()
    announce_format(shop.pipeline.artifacts, 0.0)
    for name in "ab":
        shop.put(f"{name}/1.png", png(ord(name)))
    shop.put("products.csv", b"id,item_group_id,price,sale_price\na1,a,900,800\nb1,b,10 EUR,\n")
    shop.open()

    def prices(currency: str, **fields: str) -> dict[str, tuple[str, str, str]]:
        searcher = Searcher(shop.pipeline.artifacts, currency=currency)
        client = Client(create_app(shop.settings, searcher))
        form = {"group": "item", "facets": "price", **fields}
        reply = client.post("/api/search-image", files={"file": png(97)}, data=form).json()
        found = {
            hit["item_id"]: (
                hit["product"]["price"]["currency"],
                hit["product"]["variants"][0]["price"]["currency"],
                client.get(f"/api/items/{hit['item_id']}").json()["product"]["price"]["currency"],
            )
            for hit in reply["hits"]
        }
        told = sorted(each["low"]["currency"] for each in reply["facets"]["price"])
        assert told == sorted({each[0] for each in found.values()})
        return found

    assert prices("") == {"a": ("",) * 3, "b": ("EUR",) * 3}
    assert prices("JPY") == {"a": ("JPY",) * 3, "b": ("EUR",) * 3}
    assert prices("JPY", filter="price<=800 JPY") == {"a": ("JPY",) * 3}
    assert prices("EUR", filter="price<=800") == {"a": ("EUR",) * 3, "b": ("EUR",) * 3}
    assert [*prices("EUR", sort="price")] == ["b", "a"]
    assert [*prices("JPY", sort="-price")] == ["b", "a"]  # as many of each: by their names

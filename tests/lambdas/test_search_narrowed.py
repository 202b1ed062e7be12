"""The API narrowed down: filters, facets, and page after page.

Covers: searching, lookups, narrowing, product_schemas.
"""

from __future__ import annotations

from typing import Any

import pytest

from lens.pipeline import compact
from lens.storage.formats import announce_format
from tests.lambdas.conftest import MakeShop, Shop
from tests.support.tiny_model import png

HEADER = "id,item_group_id,title,price,sale_price,availability,brand,color,size\n"
ITEMS = 30


def _feed(cheapest: str = "1.00") -> str:
    """Item n has sizes S and M; M is sold out in every third; every fifth is on sale."""
    lines = []
    for n in range(ITEMS - 2):  # the last two items are not in the file
        for size in "SM":
            sale = "0.50 EUR" if n % 5 == 0 and size == "S" else ""
            price = cheapest if n == 0 else f"{n + 1}.00"
            stock = "out of stock" if n % 3 == 0 and size == "M" else "in stock"
            color = ("Red", "Blue/Black", "green")[n % 3]
            lines.append(
                f"i{n:02}-{size},i{n:02},T,{price} EUR,{sale},{stock},B{n % 2},{color},{size}"
            )
    return HEADER + "\n".join(lines) + "\n"


@pytest.fixture
def sold(make_shop: MakeShop) -> Shop:
    """Thirty items with two photos each, and a product file."""
    shop = make_shop()
    announce_format(shop.pipeline.artifacts, 0.0)
    for n in range(ITEMS):
        for photo in range(2):
            shop.put(f"{'AB'[n % 2]}/i{n:02}/{photo}.png", png(2 * n + photo))
    shop.put("products.csv", _feed().encode())
    shop.open()
    return shop


def _json(shop: Shop, **fields: Any) -> dict[str, Any]:
    reply = shop.search(png(1), **fields)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def _error(reply: Any) -> tuple[int, str, str]:
    error = reply.json()["error"]
    return reply.status_code, error["code"], error["message"]


def _items(found: dict[str, Any]) -> set[str]:
    return {hit["item_id"].rpartition("/")[2] for hit in found["hits"]}


def test_only_what_a_filter_leaves_is_found_and_shown_so(sold: Shop) -> None:
    found = _json(sold, top_k=100, filter="price<=4;size=M")
    # Item 0 costs 1.00 in M: the sale is of S.
    assert _items(found) == {"i00", "i01", "i02", "i03"}
    assert len(found["hits"]) == 8
    assert {hit["product"]["size"] for hit in found["hits"]} == {"M"}
    assert _items(_json(sold, top_k=100, filter="price<1")) == {f"i{n:02}" for n in range(0, 28, 5)}
    assert _items(_json(sold, top_k=100, filter="sale_price>0;color=black")) == {"i10", "i25"}
    everything = _json(sold, top_k=100, filter="size!=XXL")
    assert "i29" not in _items(everything)
    assert len(everything["hits"]) == 56


def test_a_filter_and_a_category_both_hold(sold: Shop) -> None:
    found = _json(sold, top_k=100, filter="price<=4;size=M", category="B")
    assert _items(found) == {"i01", "i03"}


def test_items_are_filtered_and_sold_out_by_the_variant_that_is_asked_for(sold: Shop) -> None:
    found = _json(sold, top_k=100, group="item", filter="size=M;price<=6 EUR")
    assert len(found["hits"]) == 6
    stock = [hit["product"]["availability"] for hit in found["hits"]]
    assert stock == ["in_stock"] * 4 + ["out_of_stock"] * 2
    kept = _json(sold, top_k=100, group="item", filter="size=M;price<=6;availability=in_stock")
    assert _items(kept) == {"i01", "i02", "i04", "i05"}


def test_a_changed_price_and_a_new_photo_are_filtered_by_at_once(sold: Shop) -> None:
    assert _items(_json(sold, top_k=100, filter="price>100")) == set()
    sold.put("products.csv", _feed("200.00").encode())
    sold.put("A/i00/new.png", png(99))
    sold.settle()
    sold.searcher.refresh()
    found = _json(sold, top_k=100, filter="price>100")
    assert {hit["key"] for hit in found["hits"]} == {
        f"A/i00/{name}.png" for name in ("0", "1", "new")
    }


def test_similar_items_are_filtered_too(sold: Shop) -> None:
    path = "/api/items/A/i04/similar"
    reply = sold.client.get(path, params={"filter": "price<=4;size=M", "facets": "color"})
    assert _items(reply.json()) == {"i00", "i01", "i02", "i03"}
    assert {hit["product"]["size"] for hit in reply.json()["hits"]} == {"M"}
    assert reply.json()["facets"]["color"][0] == {"value": "Red", "items": 2}
    form = {"item_id": "A/i04", "filter": "price<=4;size=M"}
    same = sold.client.post("/api/search-image", data=form)
    assert same.json()["hits"] == reply.json()["hits"]


@pytest.mark.parametrize(
    ("fields", "code", "told"),
    [
        ({"filter": "colour=red"}, "invalid_filter", "did you mean color?"),
        ({"filter": "price<=5 USD;price>1"}, "", ""),
        ({"filter": "size<M"}, "invalid_filter", "size has no order"),
        ({"filter": "x" * 2001}, "invalid_request", "at most 2000"),
        ({"facets": "title"}, "invalid_filter", "there is no facet 'title'"),
        ({"cursor": "nonsense"}, "invalid_cursor", "it is damaged"),
    ],
)
def test_what_cannot_be_used_is_refused(
    sold: Shop, fields: dict[str, str], code: str, told: str
) -> None:
    for reply in (
        sold.search(png(1), **fields),
        sold.client.get("/api/items/A/i04/similar", params=fields),
    ):
        if not code:
            assert reply.status_code == 200
            continue
        status, found, message = _error(reply)
        assert (status, found) == (422, code)
        assert told in message


def test_without_a_product_file_a_filter_is_refused(shop: Shop) -> None:
    status, code, message = _error(shop.search(png(1), filter="size=M"))
    assert (status, code) == (422, "invalid_filter")
    assert "there is no product file" in message
    assert shop.search(png(1), facets="category,brand").json()["facets"]["brand"] == []


def test_an_empty_shop_answers_any_filter_with_nothing(make_shop: MakeShop) -> None:
    reply = make_shop().search(png(1), filter="size=M", facets="brand")
    assert (reply.status_code, reply.json()["hits"], reply.json()["cursor"]) == (200, [], None)


@pytest.mark.parametrize("group", ["photo", "item"])
@pytest.mark.parametrize("narrowed", [{}, {"filter": "size=M;price<=20"}, {"category": "A"}])
@pytest.mark.parametrize("top_k", [1, 7, 30])
def test_all_pages_are_one_large_search(
    sold: Shop, group: str, narrowed: dict[str, str], top_k: int
) -> None:
    asked = {"group": group, **narrowed}
    whole = _json(sold, top_k=100, **asked)
    assert whole["cursor"] is None
    hits: list[dict[str, Any]] = []
    cursor = None
    for _ in range(100):
        page = _json(sold, top_k=top_k, **asked, **({"cursor": cursor} if cursor else {}))
        hits += page["hits"]
        assert (page["match"], page["commit"]) == (whole["match"], whole["commit"])
        cursor = page["cursor"]
        if cursor is None:
            break
        assert len(page["hits"]) == top_k
    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    keys = [hit["key"] for hit in hits]
    assert len(set(keys)) == len(keys)
    expected = [hit["key"] for hit in whole["hits"]]
    assert keys == expected


def test_pages_of_similar_items_are_one_large_search(sold: Shop) -> None:
    path, hits, params = "/api/items/A/i04/similar", [], {"top_k": "4"}
    whole = sold.client.get(path, params={"top_k": "100"}).json()["hits"]
    while True:
        page = sold.client.get(path, params=params).json()
        hits += page["hits"]
        if page["cursor"] is None:
            break
        params["cursor"] = page["cursor"]
    assert hits == whole
    assert len(hits) == ITEMS - 1


def test_a_cursor_goes_on_with_nothing_else_and_ends_with_its_commit(sold: Shop) -> None:
    cursor = _json(sold, top_k=5, filter="size=M")["cursor"]
    assert len(_json(sold, top_k=5, filter="size=M", cursor=cursor, facets="size")["hits"]) == 5
    for other in ({"top_k": 6}, {"filter": "size=S"}, {"group": "item"}, {"category": "A"}):
        fields = {"top_k": 5, "filter": "size=M", "cursor": cursor, **other}
        status, code, message = _error(sold.search(png(1), **fields))
        assert (status, code) == (422, "invalid_cursor")
        assert "another search" in message
    status, code, _ = _error(sold.search(png(2), top_k=5, filter="size=M", cursor=cursor))
    assert (status, code) == (422, "invalid_cursor")
    sold.remove("A/i00/0.png")
    sold.settle()
    sold.searcher.refresh()
    status, code, message = _error(sold.search(png(1), top_k=5, filter="size=M", cursor=cursor))
    assert (status, code) == (410, "search_again")
    assert "search again, without the cursor" in message


def test_facets_are_counted_over_items_whatever_is_shown(sold: Shop) -> None:
    found = _json(sold, top_k=3, facets="price,color,category,size,availability")["facets"]
    assert found["brand"] is None
    assert found["category"] == [{"value": "A", "items": 15}, {"value": "B", "items": 15}]
    assert found["size"] == [{"value": "M", "items": 28}, {"value": "S", "items": 28}]
    assert found["color"][0] == {"value": "Red", "items": 10}
    low, high = ({"amount": each, "currency": "EUR"} for each in ("0.50", "28.00"))
    assert found["price"] == [{"low": low, "high": high, "items": 28}]
    grouped = _json(sold, top_k=3, group="item", facets="size", filter="color=Red;size=M")
    assert grouped["facets"]["size"] == [{"value": "M", "items": 10}]


@pytest.mark.parametrize("folded", [False, True])
def test_an_example_is_no_hit_of_a_filtered_search_either(
    sold: Shop, folded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the snapshot and in the tail; and the next search without examples finds it again."""
    if folded:
        monkeypatch.setattr(compact, "TAIL_ROWS", 0)
        sold.put("A/i00/9.png", png(99))
        sold.open()
        serving = sold.searcher.refresh()
        assert serving is not None
        assert serving.gallery.snapshot is not None
    wanted = "price<=4;size=M"
    assert _items(_json(sold, top_k=100, filter=wanted)) == {"i00", "i01", "i02", "i03"}
    for field in ("like", "unlike"):
        found = _json(sold, top_k=100, filter=wanted, **{field: "A/i02"})
        assert _items(found) == {"i00", "i01", "i03"}
    assert "i02" in _items(_json(sold, top_k=100, filter=wanted))


def test_pages_of_a_search_with_examples_belong_to_those_examples(sold: Shop) -> None:
    first = _json(sold, top_k=4, like="A/i02")
    again = _json(sold, top_k=4, like="A/i02", cursor=first["cursor"])
    assert not {hit["key"] for hit in first["hits"]} & {hit["key"] for hit in again["hits"]}
    reply = sold.search(png(1), top_k=4, like="A/i04", cursor=first["cursor"])
    assert _error(reply)[:2] == (422, "invalid_cursor")


def _pages(sold: Shop, **fields: Any) -> list[dict[str, Any]]:
    """The hits of all pages, of a photo or an item."""
    hits: list[dict[str, Any]] = []
    while True:
        if "item" in fields:
            asked = {name: value for name, value in fields.items() if name != "item"}
            page = sold.client.get(f"/api/items/{fields['item']}/similar", params=asked).json()
        else:
            page = _json(sold, **fields)
        hits += page["hits"]
        if page["cursor"] is None:
            return hits
        fields["cursor"] = page["cursor"]


def _paid(hit: dict[str, Any]) -> float:
    product = hit["product"]
    if product is None:
        return float("inf")
    return float((product["sale_price"] or product["price"])["amount"])


@pytest.mark.parametrize("asked", [{"group": "item"}, {"item": "A/i04"}])
@pytest.mark.parametrize("top_k", [7, 100])
def test_items_are_sorted_by_price_over_all_pages(
    sold: Shop, asked: dict[str, str], top_k: int
) -> None:
    hits = _pages(sold, **asked, sort="price", top_k=top_k)
    count = ITEMS if "group" in asked else ITEMS - 1
    assert [hit["rank"] for hit in hits] == list(range(1, count + 1))
    assert [_paid(hit) for hit in hits] == sorted(map(_paid, hits))
    assert hits[0]["product"]["sale_price"] == {"amount": "0.50", "currency": "EUR"}
    assert [hit["product"] for hit in hits[-2:]] == [None, None]
    dearest = _pages(sold, **asked, sort="-price", top_k=top_k)
    prices = [_paid(hit) for hit in dearest[:-2]]
    assert prices == sorted(prices, reverse=True)
    assert [hit["product"] for hit in dearest[-2:]] == [None, None]
    asked_for = {**asked, "sort": "similarity", "top_k": str(top_k)}
    assert _pages(sold, **asked_for) == _pages(sold, **asked, top_k=top_k)


def test_a_search_for_an_item_is_sorted_as_its_similar_items_are(sold: Shop) -> None:
    form = {"item_id": "A/i04", "sort": "price", "top_k": "5", "filter": "size=M"}
    found = sold.client.post("/api/search-image", data=form).json()
    del form["item_id"]
    similar = sold.client.get("/api/items/A/i04/similar", params=form).json()
    assert found["hits"] == similar["hits"] != []
    assert found["cursor"] == similar["cursor"]


@pytest.mark.parametrize("asked", [{"group": "item"}, {"item": "A/i04"}])
def test_what_is_sold_out_is_last_over_all_pages(sold: Shop, asked: dict[str, str]) -> None:
    for sort in ("similarity", "price"):
        hits = _pages(sold, **asked, top_k=5, filter="size=M", sort=sort)
        stock = [hit["product"]["availability"] for hit in hits]
        assert len(stock) == ITEMS - 2 - ("item" in asked)
        assert stock == sorted(stock)
        assert {"in_stock", "out_of_stock"} == set(stock)


def test_a_cursor_carries_the_order(sold: Shop) -> None:
    cursor = _json(sold, top_k=5, group="item", sort="price")["cursor"]
    for other in ({"sort": "-price"}, {}):
        reply = sold.search(png(1), top_k=5, group="item", cursor=cursor, **other)
        assert _error(reply)[:2] == (422, "invalid_cursor")


def test_what_cannot_be_sorted_is_refused_with_what_to_do(sold: Shop, shop: Shop) -> None:
    status, code, message = _error(sold.search(png(1), sort="price"))
    assert (status, code) == (422, "invalid_request")
    assert message == "sort: items are sorted by price, photos are not; send group=item too"
    status, code, message = _error(sold.search(png(1), sort="cheap", group="item"))
    assert (status, code) == (422, "invalid_request")
    assert "'similarity', 'price' or '-price'" in message
    for reply in (
        shop.search(png(1), sort="price", group="item"),
        shop.client.get("/api/items/WOMEN/Dresses/id_1/similar", params={"sort": "price"}),
    ):
        status, code, message = _error(reply)
        assert (status, code) == (422, "invalid_filter")
        assert message == "there is no product file to sort by; add one, or send no sort"

"""`/api/why` (lambdas/search): what is told of a photo and a hit, and what is refused.

Covers: explaining.
"""

from __future__ import annotations

import pytest
from httpx import Response

from tests.lambdas.conftest import MakeShop, Shop
from tests.support.region_model import LOWER, ONE_PIECE, UPPER, scene_png, write_region_model
from tests.support.shares_model import write_shares_model

OUTFIT = "outfits/1.png"
STOCK = {
    OUTFIT: scene_png(1, {0: UPPER, 3: LOWER}),
    "dresses/1.png": scene_png(2, {3: ONE_PIECE}),
}
PHOTO = scene_png(5, {0: UPPER, 3: LOWER})


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    """A shop whose model can tell why."""
    return opened(make_shop(), told=True)


def opened(shop: Shop, *, told: bool) -> Shop:
    for key, photo in STOCK.items():
        shop.put(key, photo)
    write = write_shares_model if told else write_region_model
    shop.open(write(shop.pipeline.artifacts).model_id)
    return shop


def why(shop: Shop, photo: bytes = PHOTO, **fields: str) -> Response:
    return shop.client.post("/api/why", files={"file": photo}, data=fields)


def best(shop: Shop, **fields: str) -> str:
    """The photo_id of the first hit."""
    found = shop.search(PHOTO, **fields).json()
    assert found["explained"]
    first: str = found["hits"][0]["photo_id"]
    return first


def test_the_parts_of_both_photos_are_told(shop: Shop) -> None:
    reply = why(shop, photo_id=best(shop, region="whole"), region="whole")
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert list(told) == ["query", "hit"]
    part = told["query"]
    assert part["box"] == [0, 0, 1, 1] and part["fall"] >= 0.03
    assert [len(row) for row in part["places"]] == [2, 2]
    assert max(max(row) for row in part["places"]) == 1
    assert min(min(row) for row in part["places"]) >= 0


def test_a_query_s_map_comes_of_its_search_and_a_hit_s_is_kept(shop: Shop) -> None:
    hit = best(shop)
    before = shop.health()["cache"]
    assert before["whys"]["entries"] == 0
    first, second = (why(shop, photo_id=hit) for _ in range(2))
    assert first.status_code == 200 and first.json() == second.json()
    after = shop.health()["cache"]
    assert after["vectors"]["entries"] == before["vectors"]["entries"]
    assert (after["whys"]["entries"], after["whys"]["hits"]) == (1, 1)


def test_a_model_that_cannot_tell_says_so(make_shop: MakeShop) -> None:
    shop = opened(make_shop(), told=False)
    found = shop.search(PHOTO).json()
    assert found["explained"] is False
    reply = why(shop, photo_id=found["hits"][0]["photo_id"])
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_explained"


def test_several_photos_and_examples_are_not_explained(shop: Shop) -> None:
    fields = {"like": shop.search(PHOTO).json()["hits"][0]["photo_id"]}
    assert shop.search(PHOTO, **fields).json()["explained"] is False
    files = [("file", PHOTO), ("file", STOCK[OUTFIT])]
    reply = shop.client.post("/api/search-image", files=files)
    assert reply.json()["explained"] is False


def test_a_photo_that_is_not_there_is_not_found(shop: Shop, make_shop: MakeShop) -> None:
    for each in (shop, make_shop()):
        reply = why(each, photo_id="0" * 32)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("photo", "fields", "status", "code"),
    [
        (b"no photo", {}, 400, "not_an_image"),
        (PHOTO, {"region": "1,2,3"}, 422, "invalid_request"),
        (PHOTO, {"photo_id": ""}, 422, "invalid_request"),
        (PHOTO, {"colour": "red"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_used_is_refused_as_in_a_search(
    shop: Shop, photo: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    reply = why(shop, photo, **{"photo_id": best(shop), **fields})
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


def test_the_photo_is_needed_and_sent_once(shop: Shop) -> None:
    missing = shop.client.post("/api/why", data={"photo_id": best(shop)})
    assert missing.json()["error"]["message"].startswith("file: send the photo as a file")
    files = [("file", PHOTO), ("file", PHOTO)]
    twice = shop.client.post("/api/why", files=files, data={"photo_id": best(shop)})
    assert twice.json()["error"]["message"] == "file: send it once"

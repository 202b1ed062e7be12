"""The HTTP API (lambdas/search) on regions: what is seen, what is searched, what can be asked for.

Covers: searching, schemas.
"""

from __future__ import annotations

from typing import Any

import pytest

from lens.models.regions import Box
from tests.lambdas.conftest import MakeShop, Shop
from tests.support.region_model import ONE_PIECE, QUARTERS, UPPER, scene_png, write_region_model

JACKET = "jackets/1.png"
DRESS = "dresses/1.png"
OUTFIT = "outfits/1.png"
NEARLY_BLUE = "#0000e0"  # a little less sure than the others
STOCK = {
    JACKET: scene_png(1, {0: UPPER}),
    DRESS: scene_png(2, {3: ONE_PIECE}),
    OUTFIT: scene_png(3, {1: UPPER, 2: NEARLY_BLUE}),
    "patterns/1.png": scene_png(4, {}),
}


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    """A shop whose model sees regions."""
    shop = make_shop()
    for key, photo in STOCK.items():
        shop.put(key, photo)
    shop.open(write_region_model(shop.pipeline.artifacts).model_id)
    return shop


def field(box: Box | list[float]) -> str:
    """A box as the form has it."""
    return ",".join(map(str, box))


def answer(shop: Shop, photo: bytes, **fields: Any) -> dict[str, Any]:
    reply = shop.search(photo, **fields)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def test_a_search_tells_the_garments_that_it_saw_and_searches_the_surest(shop: Shop) -> None:
    found = answer(shop, STOCK[OUTFIT])
    boxes = [list(QUARTERS[1]), list(QUARTERS[2])]
    assert [region["box"] for region in found["regions"]] == boxes
    assert [region["kind"] for region in found["regions"]] == ["upper", "one_piece"]
    sure, less_sure = (region["confidence"] for region in found["regions"])
    assert 0.5 < less_sure < sure <= 1
    assert found["region"] == boxes[0]
    assert (found["match_probability"], found["match"]) == (None, None)


def test_a_garment_is_found_on_another_background_and_in_another_place(shop: Shop) -> None:
    found = answer(shop, scene_png(77, {2: ONE_PIECE}))
    assert found["hits"][0]["key"] == DRESS
    assert found["hits"][0]["similarity"] > answer(shop, STOCK[DRESS])["hits"][1]["similarity"]


def test_another_garment_of_the_photo_can_be_searched_for(shop: Shop) -> None:
    second = answer(shop, STOCK[OUTFIT])["regions"][1]["box"]
    found = answer(shop, STOCK[OUTFIT], region=field(second))
    assert found["region"] == second
    assert found["hits"][0]["key"] == DRESS
    assert not any(hit["exact"] for hit in found["hits"])


def test_the_whole_photo_can_be_searched_for(shop: Shop) -> None:
    found = answer(shop, STOCK[OUTFIT], region="whole")
    assert found["region"] is None
    assert len(found["regions"]) == 2
    assert [hit["key"] for hit in found["hits"] if hit["exact"]] == [OUTFIT]
    assert answer(shop, STOCK[OUTFIT], region="0,0,1,1") == found


def test_the_region_of_a_reply_asks_for_the_same_again(shop: Shop) -> None:
    first = answer(shop, STOCK[JACKET])
    assert first["hits"][0]["exact"]
    assert answer(shop, STOCK[JACKET], region=field(first["region"])) == first
    assert answer(shop, STOCK[JACKET], region="") == first


@pytest.mark.parametrize("region", ["0.25,.25,0.75,0.75", " 0.25, 0.25 ,75e-2,+0.75 "])
def test_a_box_of_the_shopper_s_own_is_searched_as_it_is(shop: Shop, region: str) -> None:
    found = answer(shop, STOCK[JACKET], region=region)
    assert found["region"] == [0.25, 0.25, 0.75, 0.75]


def test_another_box_makes_no_second_run_over_the_whole_photo(shop: Shop) -> None:
    answer(shop, STOCK[JACKET])
    answer(shop, STOCK[JACKET], region="0.2,0.2,0.9,0.9")
    answer(shop, STOCK[JACKET], region="whole")
    cache = shop.health()["cache"]
    assert (cache["regions"]["hits"], cache["regions"]["misses"]) == (2, 1)
    assert (cache["vectors"]["hits"], cache["vectors"]["misses"]) == (1, 2)
    assert (cache["results"]["hits"], cache["results"]["misses"]) == (0, 3)


def test_a_model_that_sees_no_garments_searches_whole_photos_and_boxes(shop: Shop) -> None:
    shop.open()
    shop.searcher.refresh()
    found = answer(shop, STOCK[JACKET])
    assert (found["regions"], found["region"]) == ([], None)
    assert found["hits"][0]["exact"]
    found = answer(shop, STOCK[JACKET], region="0,0,0.5,0.5")
    assert found["region"] == [0, 0, 0.5, 0.5]

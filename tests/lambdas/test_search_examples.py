"""`/api/search-image` by several photos, and by what of the catalog it is to be like or unlike.

Covers: searching, parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from httpx import Response

from lens.models.regions import Box
from lens.photos.decoding import photo_id
from lens.search.examples import MOST_EXAMPLES, MOST_PHOTOS, blend
from tests.lambdas.conftest import STOCK, MakeShop, Shop
from tests.support.region_model import ONE_PIECE, QUARTERS, UPPER, scene_png, write_region_model
from tests.support.tiny_model import png

URL = "/api/search-image"
DRESS, TOP, SHIRT = "WOMEN/Dresses/id_1", "WOMEN/Tops/id_2", "MEN/Shirts/id_3"


def ask(shop: Shop, *photos: bytes, **fields: Any) -> Response:
    files = [("file", (f"{number}.png", photo)) for number, photo in enumerate(photos)]
    return shop.client.post(URL, files=files, data=fields)


def answer(shop: Shop, *photos: bytes, **fields: Any) -> dict[str, Any]:
    reply = ask(shop, *photos, **fields)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def vectors(shop: Shop) -> dict[str, np.ndarray]:
    """Every photo of the catalog, by key."""
    shop.searcher.refresh()
    assert shop.searcher.serving is not None
    gallery = shop.searcher.serving.gallery
    return {row.key: gallery.photo_vectors(row.photo_id)[0][1] for row in gallery.photos()}


def expected(vector: np.ndarray, known: dict[str, np.ndarray]) -> list[tuple[str, float]]:
    found = [(key, float(each @ vector)) for key, each in known.items()]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def told(found: dict[str, Any]) -> list[tuple[str, float]]:
    return [(hit["key"], hit["similarity"]) for hit in found["hits"]]


def agree(found: dict[str, Any], wanted: list[tuple[str, float]]) -> None:
    assert [key for key, _ in told(found)] == [key for key, _ in wanted]
    assert [s for _, s in told(found)] == pytest.approx([s for _, s in wanted], abs=2e-6)


def test_several_photos_have_one_list_of_what_is_like_all_of_them(shop: Shop) -> None:
    known = vectors(shop)
    of = {seed: known[key] for key, seed in STOCK.items()}
    found = answer(shop, png(2), png(3), png(4))
    agree(found, expected(blend([of[2], of[3], of[4]], [], []), known))
    assert (found["match"], found["match_probability"]) == (None, None)
    assert {hit["match"] for hit in found["hits"]} == {None}


def test_photos_that_the_catalog_has_are_exact_hits(shop: Shop) -> None:
    found = answer(shop, png(2), png(3), png(77))
    exact = {hit["photo_id"] for hit in found["hits"] if hit["exact"]}
    assert exact == {photo_id(png(2)), photo_id(png(3))}


def test_one_photo_sent_twice_is_one_photo(shop: Shop) -> None:
    assert answer(shop, png(3), png(3)) == answer(shop, png(3)) == shop.search(png(3)).json()


def test_the_first_photo_s_regions_are_told(make_shop: MakeShop) -> None:
    shop = make_shop()
    front, label = scene_png(1, {0: UPPER}), scene_png(2, {3: ONE_PIECE})
    shop.put("a.png", front)
    shop.open(write_region_model(shop.pipeline.artifacts).model_id)
    found = answer(shop, front, label)
    assert [region["box"] for region in found["regions"]] == [list(QUARTERS[0])]
    box: Box = QUARTERS[0]
    assert found["region"] == list(box)
    assert answer(shop, label, front)["region"] == list(QUARTERS[3])
    reply = ask(shop, front, label, region="whole")
    assert reply.status_code == 422
    assert "region: it is for one photo" in reply.json()["error"]["message"]


def test_a_liked_item_draws_and_is_left_out(shop: Shop) -> None:
    known = vectors(shop)
    own = [vector for key, vector in known.items() if DRESS in key]
    others = {key: vector for key, vector in known.items() if DRESS not in key}
    photo = known["img/WOMEN/Tops/id_2/front.png"]
    liked = blend(own, [], [])
    agree(answer(shop, png(3), like=DRESS), expected(blend([photo], [liked], []), others))
    agree(answer(shop, png(3), unlike=DRESS), expected(blend([photo], [], [liked]), others))


def test_examples_need_no_photo(shop: Shop) -> None:
    known = vectors(shop)
    keys = {TOP: "img/WOMEN/Tops/id_2/front.png", SHIRT: "img/MEN/Shirts/id_3/front.png"}
    photo = photo_id(png(6))
    others = {k: v for k, v in known.items() if k not in (*keys.values(), "loose photo.png")}
    vector = blend([], [known[keys[TOP]], known[keys[SHIRT]]], [known["loose photo.png"]])
    found = answer(shop, like=[TOP, SHIRT], unlike=photo)
    agree(found, expected(vector, others))
    assert (found["regions"], found["region"], found["match"]) == ([], None, None)


def test_a_photo_s_id_leaves_out_that_photo_alone(shop: Shop) -> None:
    keys = [hit["key"] for hit in answer(shop, like=photo_id(png(1)))["hits"]]
    assert len(keys) == len(STOCK) - 1
    assert "img/WOMEN/Dresses/id_1/back.png" in keys


def test_examples_are_left_out_of_categories_and_groups_too(shop: Shop) -> None:
    women = answer(shop, png(9), unlike=DRESS, category="WOMEN")["hits"]
    assert [hit["item_id"] for hit in women] == [TOP]
    items = answer(shop, png(9), unlike=TOP, group="item", top_k=2)["hits"]
    assert len({hit["item_id"] for hit in items} - {TOP}) == 2
    assert len(answer(shop, png(9), like=TOP, top_k=5)["hits"]) == 5


def test_an_unknown_example_is_named(shop: Shop, make_shop: MakeShop) -> None:
    for each in (shop, make_shop()):
        for fields in ({"like": [TOP, "no such"]}, {"like": TOP, "unlike": "no such"}):
            reply = ask(each, png(1), **fields)
            assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
            asked = "no such" if each is shop else TOP
            assert repr(asked) in reply.json()["error"]["message"]


def test_a_deleted_example_is_unknown_from_then_on(shop: Shop) -> None:
    assert ask(shop, like=TOP).status_code == 200
    shop.remove("img/WOMEN/Tops/id_2/front.png")
    shop.settle()
    assert ask(shop, like=TOP).status_code == 404


def test_several_photos_of_an_empty_gallery_find_nothing(make_shop: MakeShop) -> None:
    assert answer(make_shop(), png(1), png(2))["hits"] == []


def test_an_unusable_photo_is_told_by_its_number(shop: Shop, make_shop: MakeShop) -> None:
    for each in (shop, make_shop()):
        reply = ask(each, png(1), b"nonsense")
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "not_an_image")
        assert reply.json()["error"]["message"].startswith("photo 2 of 2: ")


@pytest.mark.parametrize(
    ("photos", "fields", "hint"),
    [
        (0, {"unlike": TOP}, "unlike: send a photo, or like, beside it"),
        (1, {"like": TOP, "unlike": TOP}, f"unlike: '{TOP}' is in like too"),
        (1, {"like": [str(n) for n in range(MOST_EXAMPLES + 1)]}, "like: send at most 10"),
        (MOST_PHOTOS + 1, {}, "file: send at most 5"),
        (0, {"item_id": TOP, "unlike": SHIRT}, "item_id: send it as like"),
        (0, {"item_id": TOP, "like": SHIRT}, "item_id: send it as like"),
        (0, {"like": TOP, "region": "whole"}, "region: it is for one photo"),
        (1, {"unlikes": TOP}, "unlikes: there is no such field; did you mean unlike?"),
        (1, {"top_k": ["3", "4"]}, "top_k: send it once"),
        (0, {"file": ["text", "text"]}, "file: send the photo as a file"),
        (0, {"like": ""}, "file: send the photo"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shop: Shop, photos: int, fields: dict[str, Any], hint: str
) -> None:
    reply = ask(shop, *map(png, range(photos)), **fields)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_request")
    assert reply.json()["error"]["message"].startswith(hint), reply.text


def test_examples_steer_one_photo_and_its_region(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.put("a/1.png", scene_png(1, {0: UPPER}))
    shop.put("b/1.png", scene_png(2, {3: ONE_PIECE}))
    shop.open(write_region_model(shop.pipeline.artifacts).model_id)
    found = answer(shop, scene_png(3, {1: UPPER}), unlike="b", region="0,0,0.5,1")
    assert found["region"] == [0, 0, 0.5, 1]
    assert [hit["item_id"] for hit in found["hits"]] == ["a"]


def test_the_same_is_answered_from_what_is_kept(shop: Shop) -> None:
    first = answer(shop, png(2), png(3), like=SHIRT)
    before = shop.health()["cache"]["results"]["hits"]
    assert answer(shop, png(2), png(3), like=SHIRT) == first
    assert shop.health()["cache"]["results"]["hits"] == before + 1
    assert answer(shop, png(2), png(3), unlike=SHIRT) != first

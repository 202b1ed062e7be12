"""The HTTP API (lambdas/search) over a real gallery: results, thumbnails, items and health.

Covers: app, searching, lookups, health, health_schemas, schema, schemas, product_schemas.
"""

from __future__ import annotations

import errno
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from pydantic import BaseModel

from lambdas.search import product_schemas, schemas
from lambdas.search.app import create_app
from lambdas.search.background import Background
from lambdas.search.errors import REFUSALS
from lambdas.search.schema import Schema
from lens.errors import DriftError, LensError, PhotoError
from lens.models.embedder import Embedder
from lens.photos.decoding import photo_id
from lens.pipeline.rollback import release, rollback
from lens.search import serving
from tests.lambdas.conftest import STOCK, Client, MakeShop, Shop
from tests.support.tiny_model import png, write_tiny_model

DRESS = "img/WOMEN/Dresses/id_1/front.png"


def test_a_photo_of_the_catalog_finds_itself_first(shop: Shop) -> None:
    reply = shop.search(png(1))
    assert reply.status_code == 200
    answer = reply.json()
    assert answer["commit"] == 1
    assert answer["model_id"].startswith("tiny-")
    first = answer["hits"][0]
    assert first.pop("similarity") == pytest.approx(1.0, abs=1e-5)
    assert first == {
        "rank": 1,
        "exact": True,
        "match": None,
        "product": None,
        "face": None,
        "item_id": "WOMEN/Dresses/id_1",
        "key": DRESS,
        "photo_id": photo_id(png(1)),
        "category": "WOMEN/Dresses",
        "image_url": f"http://shop/catalog/{DRESS}",
        "thumb_url": f"http://shop/api/thumb/{photo_id(png(1))}",
    }
    assert [hit["rank"] for hit in answer["hits"]] == list(range(1, len(STOCK) + 1))
    similarities = [hit["similarity"] for hit in answer["hits"][1:]]
    assert similarities == sorted(similarities, reverse=True)


def test_top_k_limits_the_hits_and_defaults_to_twelve(make_shop: MakeShop) -> None:
    shop = make_shop()
    for seed in range(15):
        shop.put(f"{seed}.png", png(seed))
    shop.open()
    assert len(shop.keys(png(0))) == 12
    assert len(shop.keys(png(0), top_k=1)) == 1
    assert len(shop.keys(png(0), top_k=100)) == 15


def test_a_category_holds_what_lies_under_it_and_nothing_that_only_starts_alike(
    shop: Shop,
) -> None:
    assert set(shop.keys(png(1), category="WOMEN/Dresses")) == {k for k in STOCK if "Dress" in k}
    assert set(shop.keys(png(1), category="WOMEN")) == {k for k in STOCK if "WOMEN/" in k}
    assert shop.keys(png(1), category="MEN") == ["img/MEN/Shirts/id_3/front.png"]
    assert shop.keys(png(1), category="CHILDREN") == []
    assert len(shop.keys(png(1), category="")) == len(STOCK)


def test_addresses_of_photos_are_quoted_and_of_thumbnails_work(shop: Shop) -> None:
    hit = shop.search(png(6), top_k=1).json()["hits"][0]
    assert hit["image_url"] == "http://shop/catalog/loose%20photo.png"
    assert shop.client.get(hit["thumb_url"]).headers["content-type"] == "image/jpeg"


def test_the_same_search_again_is_a_hit_of_the_cache_until_there_is_a_new_commit(
    shop: Shop,
) -> None:
    def results() -> tuple[int, int]:
        figures = shop.health()["cache"]["results"]
        return figures["hits"], figures["misses"]

    shop.search(png(1), top_k=3)
    assert results() == (0, 1)
    shop.search(png(1), top_k=3)
    assert results() == (1, 1)
    shop.search(png(1), top_k=4)
    shop.search(png(1), top_k=3, category="WOMEN")
    shop.search(png(2), top_k=3)
    assert results() == (1, 4)
    shop.put("new.png", png(1))
    shop.settle()
    assert "new.png" in shop.keys(png(1), top_k=3)
    assert results() == (1, 5)
    assert shop.health()["cache"]["vectors"]["misses"] == 2  # a commit changes no embedding


def test_a_new_model_answers_alone(shop: Shop) -> None:
    before = shop.search(png(1)).json()
    shop.open(write_tiny_model(shop.pipeline.artifacts, seed=7).model_id)
    shop.searcher.refresh()
    after = shop.search(png(1)).json()
    assert before["model_id"] != after["model_id"]
    assert after["hits"][0]["key"] == DRESS


def test_without_a_model_a_search_finds_nothing_and_health_says_empty(
    make_shop: MakeShop,
) -> None:
    shop = make_shop()
    reply = shop.search(png(1))
    assert reply.status_code == 200
    assert reply.json() == {
        "model_id": None,
        "commit": None,
        "hits": [],
        "regions": [],
        "region": None,
        "match_probability": None,
        "match": None,
        "explained": False,
        "search_id": None,
        "cursor": None,
        "facets": None,
    }
    health = shop.health()
    assert (health["status"], health["model_id"], health["gallery"]) == ("empty", None, None)
    assert shop.search(b"nonsense").status_code == 400
    assert shop.client.get(f"/api/thumb/{photo_id(png(1))}").status_code == 404
    assert shop.client.get("/api/items/x").status_code == 404


def test_with_a_model_and_no_commit_a_search_finds_nothing_and_health_says_empty(
    make_shop: MakeShop,
) -> None:
    shop = make_shop()
    shop.open()
    reply = shop.search(png(1)).json()
    assert (reply["commit"], reply["hits"]) == (0, [])
    health = shop.health()
    assert (health["status"], health["gallery"]["photos"]) == ("empty", 0)
    assert shop.search(b"nonsense").status_code == 400


def test_health_tells_what_answers_and_from_what(shop: Shop) -> None:
    shop.search(png(1))
    health = shop.health()
    assert health.pop("runtime").startswith("onnxruntime ")
    assert health.pop("model_id").startswith("tiny-")
    assert health.pop("milliseconds") > 0
    cache = health.pop("cache")
    assert health == {
        "status": "ok",
        "trouble": None,
        "damaged": [],
        "advice": None,
        "storage": "file",
        "device": "cpu",
        "precision": "fp32",
        "embedding_dim": 8,
        "gallery": {
            "photos": 6,
            "waiting": 0,
            "held": 0,
            "commit": 1,
            "snapshot_rows": 0,
            "tail_rows": 6,
        },
        "pin": None,
        "indexing": None,
        "search_log": "off",
        "fetching": None,
        "load": {
            "searches": {"threads": 2, "running": 0, "places": 16, "waiting": 0, "refused": 0},
            "lookups": {"threads": 2, "running": 0, "places": 256, "waiting": 0, "refused": 0},
        },
    }
    assert set(cache) == {"results", "regions", "vectors", "whys", "thumbnails"}
    assert cache["results"] == {"hits": 0, "misses": 1, "entries": 1, "size": 1, "capacity": 512}


def test_health_tells_what_is_done_beside_searches(shop: Shop) -> None:
    """From the moment at which it is known that something will be, before it is known how much."""
    background = Background()
    client = Client(create_app(shop.settings, shop.searcher, background=background))

    def told() -> dict[str, Any]:
        health = client.get("/api/health").json()
        return {name: health[name] for name in ("indexing", "fetching")}

    assert told() == {"indexing": None, "fetching": None}
    background.indexing.expect()
    listing = {"state": "listing", "done": 0, "total": 0, "seconds_left": None}
    assert told() == {"indexing": listing, "fetching": None}
    with background.indexing.work() as report, background.fetching.work() as fetched:
        assert told()["indexing"] == listing
        report(0, 20)
        fetched(0, 4)
        working = {"state": "working", "done": 0, "total": 20, "seconds_left": None}
        assert told() == {"indexing": working, "fetching": {**working, "total": 4}}
    assert told() == {"indexing": None, "fetching": None}


def test_health_tells_of_a_pin(shop: Shop) -> None:
    artifacts = shop.pipeline.artifacts
    shop.put("new.png", png(7))
    shop.settle()
    rollback(artifacts, now=1_790_000_000.0)
    assert len(shop.keys(png(1))) == 6
    pin = shop.health()["pin"]
    assert (pin["commit"], pin["since"]) == (1, 1_790_000_000.0)
    release(artifacts)
    assert len(shop.keys(png(1))) == 7
    assert shop.health()["pin"] is None


def _damage_the_head(shop: Shop) -> None:
    head = next((shop.folder.parent / "artifacts" / "heads").rglob("*.json"))
    head.write_text("{")


def test_a_gallery_that_was_loaded_goes_on_answering_when_a_newer_one_is_damaged(
    shop: Shop,
) -> None:
    shop.search(png(1))
    _damage_the_head(shop)
    assert shop.keys(png(1), top_k=1) == [DRESS]
    health = shop.health()
    assert health["status"] == "degraded"
    assert health["trouble"] == "the newest gallery cannot be loaded; the log says why"


def test_why_a_gallery_cannot_be_loaded_is_in_the_log_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.search(png(1))
    _damage_the_head(shop)
    for _ in range(3):
        shop.search(png(1))
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "heads/" in record.getMessage()


def test_a_gallery_whose_head_is_damaged_is_served_from_its_history(shop: Shop) -> None:
    _damage_the_head(shop)
    assert shop.keys(png(1), top_k=1) == [DRESS]
    health = shop.health()
    assert health["status"] == "degraded"
    assert health["damaged"] == [f"heads/{health['model_id']}.json"]
    assert "`lens repair`" in health["advice"]


def test_libraries_that_embed_otherwise_are_told_and_not_searched_with(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drifts(*given: object) -> Embedder:
        raise DriftError("a-model", "onnxruntime 2.0", "onnxruntime 1.0", 0.9)

    monkeypatch.setattr(serving, "load_embedder", drifts)
    assert shop.search(png(1)).status_code == 503
    health = shop.health()
    assert (health["status"], health["damaged"]) == ("degraded", [])
    assert "requirements.txt" in health["advice"]


def test_a_gallery_of_which_nothing_is_whole_is_degraded_and_searches_say_so(shop: Shop) -> None:
    for path in (shop.folder.parent / "artifacts" / "segments").rglob("*.npz"):
        path.write_bytes(b"")
    reply = shop.search(png(1))
    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "gallery_unavailable"
    health = shop.health()
    assert health["status"] == "degraded"
    assert "`lens repair`" in health["advice"]


def test_an_error_nobody_foresaw_is_a_500_that_tells_no_secrets(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(shop.searcher, "search", broken)
    reply = shop.search(png(1))
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "internal_error"
    assert "secret" not in reply.text


@pytest.mark.parametrize(
    "lacks",
    [
        RuntimeError("can't start new thread"),
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.ENOSPC, "No space left on device"),
        MemoryError(),
    ],
    ids=repr,
)
def test_where_the_machine_lacks_something_for_a_while_it_is_busy(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lacks: Exception,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise lacks

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(shop.searcher, "search", broken)
        reply = shop.search(png(1))
    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "busy"
    assert int(reply.headers["retry-after"]) > 0
    assert "has too little of something" in caplog.text
    assert (str(lacks) or "MemoryError") in caplog.text
    assert shop.search(png(1)).status_code == 200


def test_an_item_lists_its_photos_in_key_order(shop: Shop) -> None:
    reply = shop.client.get("/api/items/WOMEN/Dresses/id_1")
    assert reply.status_code == 200
    item = reply.json()
    assert (item["item_id"], item["category"]) == ("WOMEN/Dresses/id_1", "WOMEN/Dresses")
    assert [photo["key"] for photo in item["photos"]] == sorted(k for k in STOCK if "id_1" in k)


def test_an_item_id_may_hold_slashes_spaces_and_letters_of_any_language(shop: Shop) -> None:
    shop.put("Röcke & Co/mini 50%/№ 1/a.png", png(9))
    shop.settle()
    item_id = shop.search(png(9), top_k=1).json()["hits"][0]["item_id"]
    assert item_id == "Röcke & Co/mini 50%/№ 1"
    quoted = "R%C3%B6cke%20%26%20Co/mini%2050%25/%E2%84%96%201"
    assert shop.client.get(f"/api/items/{quoted}").json()["item_id"] == item_id


def test_an_item_whose_photos_are_deleted_is_not_found(shop: Shop) -> None:
    shop.remove("img/WOMEN/Tops/id_2/front.png")
    shop.settle()
    reply = shop.client.get("/api/items/WOMEN/Tops/id_2")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_a_thumbnail_is_a_jpeg_that_may_be_kept_for_ever(shop: Shop) -> None:
    address = f"/api/thumb/{photo_id(png(1))}"
    reply = shop.client.get(address)
    assert reply.headers["content-type"] == "image/jpeg"
    assert "immutable" in reply.headers["cache-control"]
    assert Image.open(BytesIO(reply.content)).format == "JPEG"
    again = shop.client.get(address, headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert shop.client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_thumbnail_comes_in_the_size_asked_for(make_shop: MakeShop) -> None:
    shop = make_shop()
    out = BytesIO()
    Image.new("RGB", (900, 600), "red").save(out, "PNG")
    shop.put("wide.png", out.getvalue())
    shop.open()
    address = f"/api/thumb/{photo_id(out.getvalue())}"
    full, small = shop.client.get(address), shop.client.get(address, params={"size": 90})
    assert Image.open(BytesIO(full.content)).size == (384, 256)
    assert Image.open(BytesIO(small.content)).size == (90, 60)
    assert full.headers["etag"] != small.headers["etag"]
    assert shop.client.get(address, params={"size": 15}).status_code == 422
    assert shop.client.get(address, params={"size": 385}).status_code == 422


def test_a_deleted_photo_has_no_thumbnail_even_if_it_was_kept_in_memory(shop: Shop) -> None:
    address = f"/api/thumb/{photo_id(png(3))}"
    etag = shop.client.get(address).headers["etag"]
    shop.remove("img/WOMEN/Tops/id_2/front.png")
    shop.settle()
    reply = shop.client.get(address, headers={"If-None-Match": etag})
    assert reply.status_code == 404
    assert reply.headers["cache-control"] == "no-store"


def test_no_reply_but_a_thumbnail_may_be_kept_by_a_cache(shop: Shop) -> None:
    for path in ("/api/health", "/api/items/WOMEN/Dresses/id_1", "/api/items/no", "/api/no"):
        assert shop.client.get(path).headers["cache-control"] == "no-store", path
    assert shop.search(png(1)).headers["cache-control"] == "no-store"


def _openapi(shop: Shop) -> dict[str, Any]:
    reply = shop.client.get("/api/openapi.json")
    assert reply.status_code == 200
    described: dict[str, Any] = reply.json()
    return described


_ALL = vars(product_schemas) | vars(schemas)


def test_every_schema_has_examples_that_fit_it(shop: Shop) -> None:
    described = _openapi(shop)["components"]["schemas"]
    ours = [kind for kind in _ALL.values() if _is_schema(kind)]
    assert {kind.__name__ for kind in ours} <= set(described)
    for kind in ours:
        assert kind.model_validate(_example(kind), strict=True)


def _is_schema(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Schema) and kind is not Schema


def _example(kind: type[BaseModel]) -> dict[str, Any]:
    """An object made of its fields' examples."""
    example = {}
    for name, field in kind.model_fields.items():
        if field.examples:
            example[name] = field.examples[0]
            continue
        nested = [k for k in _ALL.values() if _is_schema(k) and k.__name__ in repr(field)]
        assert nested, f"{kind.__name__}.{name} has no example"
        inner = _example(nested[0])
        example[name] = [inner] if "list[" in repr(field) else inner
    return example


def test_every_documented_error_has_an_example_in_the_shape_of_errors(shop: Shop) -> None:
    for path, methods in _openapi(shop)["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status in ("200", "204"):
                    continue
                content = response["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorSchema"}, path
                assert content["examples"]
                for code, example in content["examples"].items():
                    error = schemas.ErrorSchema.model_validate(example["value"]).error
                    assert error.code == code


def test_every_kind_of_unusable_photo_has_its_own_reply() -> None:
    kinds = PhotoError.__subclasses__()
    assert all(400 <= REFUSALS[kind].status < 500 for kind in kinds)
    assert len({REFUSALS[kind].code for kind in kinds}) == len(kinds)
    assert LensError in REFUSALS


def test_the_api_page_is_there(shop: Shop) -> None:
    assert shop.client.get("/api/docs").status_code == 200


def test_the_very_photo_and_only_it_is_exact(shop: Shop) -> None:
    hits = shop.search(png(1)).json()["hits"]
    assert [hit["key"] for hit in hits if hit["exact"]] == ["img/WOMEN/Dresses/id_1/front.png"]
    assert shop.search(png(1), top_k=1).json()["hits"][0]["exact"]
    assert not any(hit["exact"] for hit in shop.search(png(77)).json()["hits"])


def test_categories_come_with_their_number_of_photos_and_one_of_them(
    shop: Shop, make_shop: MakeShop
) -> None:
    categories = shop.client.get("/api/categories").json()["categories"]
    assert {one["category"]: one["photos"] for one in categories} == {
        "": 1,
        "MEN/Shirts": 1,
        "MENSWEAR/Shirts": 1,
        "WOMEN/Dresses": 2,
        "WOMEN/Tops": 1,
    }
    dresses = next(one for one in categories if one["category"] == "WOMEN/Dresses")
    assert dresses["photo"]["key"] == "img/WOMEN/Dresses/id_1/back.png"
    assert make_shop().client.get("/api/categories").json() == {"categories": []}

"""The HTTP API (lambdas/search) in public: other sites' pages, a CDN's addresses, no secrets.

Covers: app.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from httpx import Response

from lambdas.search.app import create_app
from lens.search.searcher import Searcher
from lens.settings import Settings
from lens.storage import open_storage
from tests.lambdas.conftest import Client, MakeShop, Shop
from tests.support.s3_bucket import BUCKET
from tests.support.tiny_model import png

SITE = "https://shop.example"
ANOTHER = "https://elsewhere.example"


@pytest.fixture
def open_shop(make_shop: MakeShop) -> Shop:
    """A shop whose API pages of one other site may call."""
    shop = make_shop(cors_origins=(SITE,))
    shop.put("a.png", png(1))
    shop.open()
    return shop


def search(shop: Shop, origin: str, photo: bytes | None = None) -> Response:
    files = {"file": photo or png(1)}
    return shop.client.post("/api/search-image", files=files, headers={"Origin": origin})


def allowed(reply: Response) -> object:
    return reply.headers.get("access-control-allow-origin")


def test_a_page_of_a_site_that_may_can_search_and_no_other_can(open_shop: Shop) -> None:
    reply = search(open_shop, SITE)
    assert (reply.status_code, allowed(reply)) == (200, SITE)
    assert "origin" in reply.headers["vary"].lower(), "a cache must keep the sites' replies apart"
    reply = search(open_shop, ANOTHER)
    assert (reply.status_code, allowed(reply)) == (200, None)


@pytest.mark.parametrize(("origin", "status"), [(SITE, 200), (ANOTHER, 400)])
def test_a_preflight_is_answered(open_shop: Shop, origin: str, status: int) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-api-key",
    }
    reply = open_shop.client.request("OPTIONS", "/api/search-image", headers=headers)
    assert reply.status_code == status
    assert allowed(reply) == (SITE if origin == SITE else None)


def test_such_a_page_can_read_every_error(open_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    too_large = png(1) + bytes(open_shop.settings.max_photo_bytes + 100_000)
    for photo, status in ((b"no photo", 400), (too_large, 413)):
        reply = search(open_shop, SITE, photo)
        assert (reply.status_code, allowed(reply)) == (status, SITE)
    reply = open_shop.client.get("/api/nothing", headers={"Origin": SITE})
    assert (reply.status_code, allowed(reply)) == (404, SITE)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(open_shop.searcher, "search", broken)
    reply = search(open_shop, SITE)
    assert (reply.status_code, allowed(reply)) == (500, SITE)


def test_every_site_may_when_all_are_named_and_none_by_default(
    make_shop: MakeShop, shop: Shop
) -> None:
    assert allowed(search(make_shop(cors_origins=("*",)), ANOTHER)) == "*"
    assert allowed(search(shop, SITE)) is None


AWKWARD = ["a b/c+d.png", "50%/ü&x=?#.png", "№ 1/it's;(ok)!~,@$:*.png", "A%20b.png"]


def test_addresses_lead_to_the_bucket_however_a_photo_is_named(make_shop: MakeShop) -> None:
    """S3 decodes the path that CloudFront passes on, %-escapes and nothing else, once."""
    shop = make_shop(thumb_url="/thumbs/")
    for seed, key in enumerate(AWKWARD):
        shop.put(key, png(seed))
    shop.open()
    hits = shop.search(png(0), top_k=10).json()["hits"]
    assert sorted(hit["key"] for hit in hits) == sorted(AWKWARD)
    thumbs = shop.folder.parent / "artifacts" / "thumbs"
    for hit in hits:
        address = hit["image_url"].removeprefix("http://shop")
        assert unquote(address) == f"/catalog/{hit['key']}"
        assert set(address).isdisjoint("+?#&=;'()!,@$:* ") and address.isascii()
        assert hit["thumb_url"] == f"http://shop/thumbs/{hit['photo_id']}"
        assert (thumbs / hit["photo_id"]).exists()


@pytest.mark.usefixtures("s3")
def test_where_things_lie_is_in_the_log_and_in_no_reply(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = Settings(catalog=f"s3://{BUCKET}/catalog", artifacts="s3://no-such-bucket/a")
    artifacts = open_storage(settings.artifacts)
    client = Client(create_app(settings, Searcher(artifacts)))
    reply = client.post("/api/search-image", files={"file": png(1)})
    assert reply.status_code == 503
    assert reply.json()["error"] == {
        "code": "storage_unavailable",
        "message": "the photos cannot be reached now; try again in a minute",
        "request_id": reply.headers["x-request-id"],
    }
    health = client.get("/api/health")
    assert health.json()["status"] == "degraded"
    assert "bucket" not in reply.text + health.text
    assert artifacts.location in caplog.text


def test_a_photo_that_has_just_gone_is_told_without_its_place(shop: Shop) -> None:
    hit = shop.search(png(6), top_k=1).json()["hits"][0]
    for thumb in Path(shop.folder.parent / "artifacts" / "thumbs").iterdir():
        thumb.unlink()
    shop.remove(hit["key"])
    reply = shop.client.get(hit["thumb_url"])
    assert reply.status_code == 404
    message = reply.json()["error"]["message"]
    assert message == f"the photo {hit['photo_id']!r} has just been removed"

"""Tests of what strangers get to see: other sites' pages, and our own failures."""

from __future__ import annotations

import pytest

from lens.errors import ArtifactError, StorageError
from tests.lambdas.conftest import MakeShop, Shop
from tests.tiny_model import png

SITE = {"Origin": "https://shop.example.com"}
PREFLIGHT = {**SITE, "Access-Control-Request-Method": "POST"}
ALLOW = "access-control-allow-origin"


def test_other_sites_are_not_served_unless_they_are_named(shop: Shop) -> None:
    assert ALLOW not in shop.client.get("/api/health", headers=SITE).headers
    reply = shop.client.request("OPTIONS", "/api/search-image", headers=PREFLIGHT)
    assert reply.status_code == 405
    assert ALLOW not in reply.headers


def test_a_named_site_may_search_and_read_errors(make_shop: MakeShop) -> None:
    shop = make_shop(cors_origins="https://shop.example.com, https://other.example.com")
    reply = shop.client.request("OPTIONS", "/api/search-image", headers=PREFLIGHT)
    assert (reply.status_code, reply.headers[ALLOW]) == (200, SITE["Origin"])
    assert "POST" in reply.headers["access-control-allow-methods"]
    found = shop.client.request("POST", "/api/search-image", headers=SITE, files={"file": png(1)})
    assert (found.status_code, found.headers[ALLOW]) == (200, SITE["Origin"])
    for path in ("/api/items/none", "/api/nothing"):
        refused = shop.client.get(path, headers=SITE)
        assert (refused.status_code, refused.headers[ALLOW]) == (404, SITE["Origin"])


def test_a_site_that_is_not_named_is_told_nothing(make_shop: MakeShop) -> None:
    shop = make_shop(cors_origins="https://other.example.com")
    assert ALLOW not in shop.client.get("/api/health", headers=SITE).headers


def test_every_site_may_be_named_at_once(make_shop: MakeShop) -> None:
    shop = make_shop(cors_origins="*")
    assert shop.client.get("/api/health", headers=SITE).headers[ALLOW] == "*"


@pytest.mark.parametrize("kind", [ArtifactError, StorageError])
def test_our_failures_name_no_bucket_to_strangers_but_do_in_the_log(
    shop: Shop,
    kind: type[ArtifactError | StorageError],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise kind("s3://secret-bucket/heads cannot be read")

    monkeypatch.setattr(shop.searcher, "search", broken)
    reply = shop.search(png(1))
    assert reply.status_code == 503
    assert "secret" not in reply.text
    assert "try again" in reply.json()["error"]["message"]
    assert "secret-bucket" in caplog.text

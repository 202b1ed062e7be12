"""API keys and the walls as a whole: what is open, what wants a key, and how keys are changed.

Covers: keys, walls.
"""

from __future__ import annotations

from base64 import b64encode

import pytest
from starlette.types import ASGIApp

from lambdas.local.server.app import local_app
from lens.settings import Settings
from tests.lambdas.conftest import Client, Shop
from tests.support.tiny_model import png

KEY, NEXT = "0123456789abcdef", "fedcba9876543210"
HERE = {"Host": "localhost"}


def app_of(shop: Shop, **settings: object) -> ASGIApp:
    """The local server's app over this shop."""
    changed = Settings.model_validate({**shop.settings.model_dump(), **settings})
    return local_app(changed, shop.searcher, shop.pipeline.catalog)


@pytest.fixture
def closed(shop: Shop) -> Client:
    """The shop behind two keys."""
    return Client(app_of(shop, api_keys=f"{KEY},{NEXT}"))


PATHS = [
    "/",
    "/app.js",
    "/api/categories",
    "/api/docs",
    "/api/openapi.json",
    "/api/health/",
    "/api/health/../categories",
    "/catalog/loose%20photo.png",
    "/api/thumb/x",
    "/metrics",
    "/nothing",
    "//api/health",
]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_but_health_is_answered_without_a_key(closed: Client, path: str) -> None:
    reply = closed.get(path, headers=HERE)
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "no_key")
    schemes = [each.split()[0] for each in reply.headers.get_list("www-authenticate")]
    assert schemes == ["Basic", "Bearer"]


def test_health_and_a_search_say_the_same_of_a_wrong_key_as_of_none(closed: Client) -> None:
    assert closed.get("/api/health", headers=HERE).status_code == 200
    replies = [
        closed.post("/api/search-image", files={"file": png(1)}, headers={**HERE, **key})
        for key in (
            {},
            {"X-Api-Key": KEY[:-1]},
            {"Authorization": "Bearer é".encode()},
            basic("", "no"),
        )
    ]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.json()["error"]["message"] for reply in replies}) == 1


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("key", [KEY, NEXT])
def test_each_key_opens_in_each_of_its_ways(closed: Client, key: str) -> None:
    ways = (
        {"Authorization": f"Bearer {key}"},
        {"authorization": f"bearer {key}"},
        {"X-Api-Key": key},
        basic("anybody", key),
    )
    for way in ways:
        for path in ("/", "/api/categories", "/catalog/loose%20photo.png"):
            assert closed.get(path, headers={**HERE, **way}).status_code == 200


@pytest.mark.parametrize(
    "sent", ["Basic", "Basic !", "Basic é", "Bearer", "Digest x", "Basic e30="]
)
def test_a_header_that_makes_no_sense_is_no_key(closed: Client, sent: str) -> None:
    headers = {**HERE, "Authorization": sent.encode("latin-1")}
    assert closed.get("/api/categories", headers=headers).status_code == 401


def test_without_keys_all_is_open(shop: Shop) -> None:
    client = Client(app_of(shop))
    assert {client.get(path, headers=HERE).status_code for path in PATHS[:5]} == {200}


def test_a_foreign_host_is_told_nothing_of_keys(closed: Client) -> None:
    assert closed.get("/", headers={"Host": "evil.example", "X-Api-Key": KEY}).status_code == 421


def test_a_page_of_another_site_can_bring_a_key_and_read_the_refusal(shop: Shop) -> None:
    site = {"Origin": "https://shop.example"}
    client = Client(app_of(shop, api_keys=KEY, cors_origins="https://shop.example"))
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    reply = client.request("OPTIONS", "/api/search-image", headers={**HERE, **site, **asks})
    assert reply.status_code == 200
    reply = client.get("/api/categories", headers={**HERE, **site})
    assert reply.status_code == 401
    assert reply.headers["access-control-allow-origin"] == site["Origin"]

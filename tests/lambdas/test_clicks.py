"""Clicks: what `/api/clicks` takes and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from lambdas.local.server.app import local_app
from lambdas.search.body_limit import SMALL
from lens.settings import Settings
from tests.lambdas.conftest import Client, MakeShop, Shop
from tests.support.tiny_model import png

CLICK: dict[str, Any] = {"search_id": "Zk3vJ0uQx2Yb7PfA", "item_id": "WOMEN/id_1", "rank": 2}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "searches.jsonl"


@pytest.fixture
def shop(make_shop: MakeShop, log: Path) -> Shop:
    """An empty shop that keeps what is searched."""
    return make_shop(search_log=str(log))


def click(shop: Shop, **changed: Any) -> Response:
    return shop.client.post("/api/clicks", json={**CLICK, **changed})


def test_a_click_is_a_line_that_names_its_search(shop: Shop, log: Path) -> None:
    search_id = shop.search(png(1)).json()["search_id"]
    reply = click(shop, search_id=search_id)
    assert (reply.status_code, reply.content) == (204, b"")
    line = json.loads(log.read_text().splitlines()[1])
    del line["time"]
    assert line == {**CLICK, "event": "click", "search_id": search_id}


def test_the_longest_item_id_is_taken(shop: Shop, log: Path) -> None:
    assert click(shop, item_id="\u1ebf" * 1_024).status_code == 204
    assert "\u1ebf" * 1_024 in log.read_text()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"person": "me"}, "person: "),
        ({"search_id": "me@mail.example!"}, "search_id: "),
        ({"search_id": CLICK["search_id"] + "\n"}, "search_id: "),
        ({"search_id": None}, "search_id: "),
        ({"item_id": ""}, "item_id: "),
        ({"item_id": "x" * 1_025}, "item_id: "),
        ({"rank": 0}, "rank: "),
        ({"rank": 10_001}, "rank: "),
        ({"rank": "1"}, "rank: "),
        ({"rank": True}, "rank: "),
    ],
)
def test_what_is_no_click_is_refused_and_not_written(
    changed: dict[str, Any], told: str, shop: Shop, log: Path
) -> None:
    reply = click(shop, **changed)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_request")
    assert reply.json()["error"]["message"].startswith(told)
    assert log.read_bytes() == b""


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"item_id": "\\ud800"}', b"\xff"])
def test_damaged_bodies_are_refused(body: bytes, shop: Shop, log: Path) -> None:
    headers = {"Content-Type": "application/json"}
    reply = shop.client.post("/api/clicks", content=body, headers=headers)
    assert reply.status_code in (400, 422)
    assert log.read_bytes() == b""


def test_half_a_character_is_refused(shop: Shop, log: Path) -> None:
    body = json.dumps({**CLICK, "item_id": "\ud800"})
    headers = {"Content-Type": "application/json"}
    reply = shop.client.post("/api/clicks", content=body, headers=headers)
    assert reply.status_code == 422
    assert log.read_bytes() == b""


def test_another_sites_form_cannot_click(shop: Shop, log: Path) -> None:
    """A browser sends these without asking first; JSON it does not."""
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        body = json.dumps(CLICK).encode()
        reply = shop.client.post("/api/clicks", content=body, headers={"Content-Type": kind})
        assert reply.status_code == 422
    assert log.read_bytes() == b""


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_body_is_not_read(announced: bool, shop: Shop, log: Path) -> None:
    most = SMALL["/api/clicks"]
    body = json.dumps({**CLICK, "item_id": "x" * most}).encode()
    headers = {"Content-Type": "application/json"}
    if not announced:
        headers |= {"Transfer-Encoding": "chunked"}
    reply = shop.client.post("/api/clicks", content=body, headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_many_bytes")
    assert reply.json()["error"]["message"] == f"/api/clicks takes at most {most} bytes"
    assert log.read_bytes() == b""


def test_clicks_count_in_a_callers_rate(shop: Shop) -> None:
    settings = Settings.model_validate({**shop.settings.model_dump(), "rate": 2})
    client = Client(local_app(settings, shop.searcher, shop.pipeline.catalog))
    here = {"Host": "localhost"}
    replies = [client.post("/api/clicks", json=CLICK, headers=here) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [204, 204, 429]


def test_where_searches_are_not_kept_clicks_are_not_taken(make_shop: MakeShop) -> None:
    reply = click(make_shop())
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
    assert "LENS_SEARCH_LOG is off" in reply.json()["error"]["message"]

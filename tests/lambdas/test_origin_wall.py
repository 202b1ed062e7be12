"""Tests of origin_wall.py: an API behind a firewall answers only what came through CloudFront."""

from __future__ import annotations

import json

import pytest

from tests.lambdas.conftest import Shop
from tests.lambdas.test_search_function import event, invoke, search_event
from tests.support.tiny_model import png

NOW, BEFORE = "n" * 40, "b" * 40


@pytest.mark.parametrize(
    ("sent", "status"),
    [(NOW, 200), (BEFORE, 200), ("o" * 40, 403), ("", 403), (f"{NOW},{BEFORE}", 403)],
)
def test_two_keys_open_at_a_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, sent: str, status: int
) -> None:
    monkeypatch.setenv("LENS_ORIGIN_KEYS", f"{BEFORE},{NOW}")
    asked = [search_event(png(1)), event("GET", "/api/health")]
    for each in asked:
        each["headers"] |= {"x-lens-origin": sent} if sent else {}
    found, health = invoke(shop, *asked)
    assert found["statusCode"] == health["statusCode"] == status
    if status == 403:
        error = json.loads(found["body"])["error"]
        assert error["code"] == "passed_by"
        assert error["request_id"] == found["headers"]["x-request-id"] == "JKJaXmPLvHcESHA="


def test_without_a_key_set_everybody_is_answered(shop: Shop) -> None:
    (health,) = invoke(shop, event("GET", "/api/health"))
    assert health["statusCode"] == 200

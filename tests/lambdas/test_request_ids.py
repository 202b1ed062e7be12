"""Tests of request_ids.py: the id of a reply, its errors, and the log."""

from __future__ import annotations

import logging
import re

import pytest

from lens.correlation import Correlated
from tests.lambdas.conftest import Shop
from tests.support.tiny_model import png


def test_each_reply_has_an_id_of_its_own_and_an_error_tells_it(shop: Shop) -> None:
    found, lost = shop.search(png(1)), shop.client.get("/api/nothing")
    ids = [reply.headers["x-request-id"] for reply in (found, lost)]
    assert all(re.fullmatch(r"[0-9a-f]{16}", each) for each in ids) and len(set(ids)) == 2
    assert lost.json()["error"]["request_id"] == ids[1]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [("order-17/a", True), ("x" * 65, False), ("a b", False), ("<b>", False), ("", False)],
)
def test_a_caller_may_choose_the_id_where_it_is_a_short_word(
    shop: Shop, chosen: str, kept: bool
) -> None:
    reply = shop.client.get("/api/nothing", headers={"X-Request-Id": chosen})
    assert (reply.headers["x-request-id"] == chosen) is kept
    assert reply.json()["error"]["request_id"] == reply.headers["x-request-id"]


def test_what_is_logged_of_a_request_has_its_id(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also of what runs in a thread, and of what nobody foresaw."""
    caplog.handler.addFilter(told := Correlated())
    try:
        shop.client.get("/api/health")
        monkeypatch.setattr(shop.searcher, "search", lambda *given, **more: 1 / 0)
        with caplog.at_level(logging.ERROR):
            reply = shop.search(png(1))
    finally:
        caplog.handler.removeFilter(told)
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "internal_error")
    (line,) = [each for each in caplog.records if each.name == "lambdas.search.errors"]
    assert line.getMessage() == "internal_error: ZeroDivisionError"
    assert line.__dict__["correlation_id"] == reply.json()["error"]["request_id"]

"""What people look for on AWS: the search function's lines, read by `lens report`.

Covers: search_lines, outputs.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.aws.shop import Shop, eventually, garment

pytestmark = pytest.mark.aws


def report(shop: Shop) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(shop.lens("report", "--since", "1", "--json"))
    return told


def test_searches_and_clicks_are_kept_and_reported(shop: Shop) -> None:
    item = "WOMEN/Dresses/id_00000500"
    shop.put(f"{item}/01_1_front.jpg", garment(600))
    eventually(lambda: shop.shows(garment(600), f"{item}/01_1_front.jpg"))
    before = report(shop)
    found = shop.visitor.search(garment(600)).json()
    click = {"search_id": found["search_id"], "item_id": item, "rank": 1}
    assert shop.visitor.click(click).status_code == 204
    assert shop.visitor.click({**click, "person": "me"}).status_code == 422
    told = eventually(lambda: (now := report(shop))["clicks"] > before["clicks"] and now)
    assert (told["searches"], told["clicks"]) == (before["searches"] + 1, before["clicks"] + 1)
    assert told["most_clicked"][0]["item_id"] == item
    assert told["unreadable"] == told["clicks_apart"] == 0


def test_the_log_has_other_lines_too_which_are_not_counted(shop: Shop) -> None:
    """Without them the test above would not show that they are left out."""
    shop.visitor.search(garment(0))
    group = shop.deployment.outputs["SearchLog"]
    events = shop.aws("logs").filter_log_events(logGroupName=group)["events"]
    messages = [event["message"] for event in events]
    assert any(message.startswith('{"event":"search"') for message in messages)
    assert any(message.startswith("START ") for message in messages)


def test_a_stack_that_keeps_no_searches_reports_none(shop: Shop) -> None:
    """As one of an earlier release, whose outputs do not name a log."""
    told = shop.lens("report", "--stack", "CDKToolkit", status=2)
    assert "stack CDKToolkit has no output SearchLog: `make deploy` adds it" in told

"""Clicks on the way to the shop, from the page in a real Chromium into the search log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import PATIENCE, Shop
from tests.e2e.serving import serving

pytestmark = pytest.mark.slow


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "searches.jsonl"


@contextmanager
def visited(browser: Browser, shop: Shop, log: Path, key: str = "") -> Iterator[Page]:
    """The page of a server that keeps what is searched, and may want a key; the shop's site answers
    everything."""
    made, count = shop.folder.parent / "artifacts", len(shop.photos)
    with serving(shop.folder, made, count, LENS_SEARCH_LOG=str(log), LENS_API_KEYS=key) as server:
        context = browser.new_context(http_credentials={"username": "any", "password": key})
        context.set_default_timeout(PATIENCE)
        context.route("https://shop.example/**", lambda route: route.fulfill(body="the shop"))
        page = context.new_page()
        page.goto(server.address)
        yield page
        context.close()


@pytest.fixture
def logging_page(browser: Browser, shop: Shop, log: Path) -> Iterator[Page]:
    with visited(browser, shop, log) as page:
        yield page


def search(page: Page, photo: Path) -> None:
    page.set_input_files("#choose", photo)
    page.wait_for_selector("#results:not(.stale)[aria-busy=false] .card:not(.waiting)")


def lines(log: Path, count: int) -> list[dict[str, Any]]:
    """The log, once it has so many lines: nothing waits for a click to be written."""
    deadline = time.monotonic() + PATIENCE / 1_000
    while len(found := log.read_text().splitlines()) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return [json.loads(line) for line in found]


@pytest.mark.parametrize("button", ["left", "middle"])
def test_a_click_on_the_shops_link_is_kept_even_when_the_page_is_left(
    logging_page: Page, log: Path, shop: Shop, button: Any
) -> None:
    search(logging_page, shop.photo("Dresses", "2_side"))
    card = logging_page.locator(".card").nth(1)
    item = card.get_attribute("data-item")
    card.locator(".open").click()
    link = logging_page.get_by_role("dialog").get_by_role("link", name="View at the shop")
    link.click(button=button)
    searched, clicked = lines(log, 2)
    assert (searched["event"], searched["kind"]) == ("search", "photo")
    assert searched["items"][1] == item
    assert (clicked["event"], clicked["item_id"]) == ("click", item)
    assert clicked["search_id"] == searched["search_id"]
    assert clicked["rank"] >= 2


def test_a_click_names_the_search_that_is_shown(logging_page: Page, log: Path, shop: Shop) -> None:
    """Back at an earlier photo, whose answer is remembered, it is that search's again."""
    search(logging_page, shop.photo("Dresses", "2_side"))
    search(logging_page, shop.photo("Denim", "2_side"))
    logging_page.go_back()
    logging_page.locator(".card .open").first.click()
    logging_page.get_by_role("dialog").get_by_role("link", name="View at the shop").click()
    first, second, clicked = lines(log, 3)
    assert clicked["search_id"] == first["search_id"] != second["search_id"]


def test_a_click_brings_the_key_with_it(browser: Browser, shop: Shop, log: Path) -> None:
    with visited(browser, shop, log, key="0123456789abcdef0123") as page:
        search(page, shop.photo("Dresses", "2_side"))
        page.locator(".card .open").first.click()
        page.get_by_role("dialog").get_by_role("link", name="View at the shop").click()
        assert [line["event"] for line in lines(log, 2)] == ["search", "click"]

"""Sharing: an address or a product, and never a photo."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import (
    COPIES,
    Visit,
    Visits,
    as_bytes,
    begin_from_the_catalog,
    standing,
)

pytestmark = pytest.mark.slow


def test_a_catalog_search_is_shared_by_its_address(visit: Visit) -> None:
    visit.page.add_init_script(COPIES)
    visit.page.reload()
    begin_from_the_catalog(visit)
    button = visit.page.locator("#share")
    with standing(visit):
        button.click()
        expect(button).to_have_text("Copied")
        expect(visit.page.locator("#share + [role=status]")).to_have_text("Copied")
    assert visit.page.evaluate("window.copied") == visit.page.url
    expect(button).to_have_text("Share")


def test_of_a_shoppers_photo_only_a_product_is_shared(visit: Visit) -> None:
    visit.page.add_init_script(
        "navigator.share = async (what) => { window.shared = what; };"  # as phones have it
    )
    visit.page.reload()
    visit.choose(visit.shop.photo("Dresses", "2_side"))
    expect(visit.page.locator("#share")).to_be_hidden()
    visit.page.locator(".card .open").first.click()
    name = visit.page.locator("#viewer-title").inner_text()
    link = visit.page.locator("#viewer .shop").get_attribute("href")
    visit.page.locator("#viewer .share").click()
    assert visit.page.evaluate("window.shared") == {"title": name, "url": link}


def test_a_product_without_a_link_is_shared_as_a_search_for_it(visits: Visits) -> None:
    visit, elsewhere = visits(), visits()
    visit.page.add_init_script(COPIES)
    visit.page.reload()

    def unlinked(route: Any) -> None:
        reply = route.fetch()
        found = reply.json()
        found["hits"] = [{**hit, "product": None} for hit in found["hits"]]
        route.fulfill(response=reply, json=found)

    visit.page.route("**/api/search-image", unlinked)
    visit.choose(as_bytes(visit.shop.photo("Dresses")))
    visit.page.locator(".card .open").nth(1).click()
    with standing(visit):
        visit.page.locator("#viewer .share").click()
        expect(visit.page.locator("#viewer .share")).to_have_text("Copied")
    address = visit.page.evaluate("window.copied")
    assert visit.page.evaluate("history.state.photo") not in address
    elsewhere.page.goto(address)
    elsewhere.settled()
    assert elsewhere.items()[0] == visit.items()[1]


def test_where_there_is_no_clipboard_the_address_is_shown(visit: Visit) -> None:
    visit.page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
    )
    visit.page.reload()
    begin_from_the_catalog(visit)
    shown: list[str] = []

    def answer(dialog: Any) -> None:
        shown.append(dialog.default_value)
        dialog.dismiss()

    visit.page.on("dialog", answer)
    visit.page.locator("#share").click()
    assert shown == [visit.page.url]

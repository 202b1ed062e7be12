"""The page of a server with a key: the browser asks for it once, and sends it with everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error

from tests.e2e.conftest import Shop, Visit
from tests.e2e.serving import serving

KEY = "0123456789abcdef0123"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def closed(shop: Shop) -> Iterator[str]:
    """The address of a second server of the shop, which wants a key."""
    made, photos = shop.folder.parent / "artifacts", len(shop.photos)
    with serving(shop.folder, made, photos, LENS_API_KEYS=KEY) as server:
        yield server.address


def test_a_visitor_with_the_key_searches_and_sees_pictures(
    browser: Browser, shop: Shop, closed: str
) -> None:
    with browser.new_context(http_credentials={"username": "any", "password": KEY}) as context:
        page = context.new_page()
        refused: list[str] = []
        page.on("response", lambda r: refused.append(r.url) if r.status >= 400 else None)
        page.goto(closed)
        visit = Visit(page, shop)
        visit.choose(shop.photo("Sweaters"))
        assert visit.items()[0] == shop.photo("Sweaters").parent.name
        widths = page.locator(".card img").evaluate_all(
            "pictures => Promise.all(pictures.map(async (picture) => {"
            "  picture.loading = 'eager'; await picture.decode(); return picture.naturalWidth; }))"
        )
        assert widths and all(widths)
        # Chromium asks without the key where it does not know yet that one is wanted.
        assert [url for url in refused if url.rstrip("/") != closed] == []


def test_a_visitor_without_it_sees_nothing(browser: Browser, closed: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        # Nobody answers the question for the key: what a visitor sees who closes it.
        with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
            page.goto(closed)

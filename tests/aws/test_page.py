"""The page as CloudFront serves it, in a real Chromium: a photo finds its product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.aws.shop import Shop, eventually, garment
from tests.e2e.chromium import NoBrowserError, chromium

pytestmark = pytest.mark.aws


@pytest.fixture
def page(shop: Shop) -> Iterator[Page]:
    """The page at its own address; its host resolves to the emulator, which has no TLS."""
    host = shop.deployment.outputs["PageUrl"].removeprefix("https://")
    port = shop.deployment.emulator.address.rpartition(":")[2]
    arguments = (
        f"--host-resolver-rules=MAP {host} 127.0.0.1",
        f"--unsafely-treat-insecure-origin-as-secure=http://{host}:{port}",
    )
    try:
        with chromium(*arguments) as browser:
            context = browser.new_context(
                base_url=f"http://{host}:{port}",
                extra_http_headers={"X-Forwarded-Proto": "https"},
                viewport={"width": 390, "height": 800},
            )
            context.set_default_timeout(300_000)  # for what hangs
            yield context.new_page()
    except NoBrowserError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def test_a_shopper_finds_a_product_by_its_photo(shop: Shop, page: Page) -> None:
    photo: dict[str, Any] = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": garment(300)}
    shop.put("WOMEN/Dresses/id_00000300/01_1_front.jpg", photo["buffer"])
    eventually(lambda: shop.shows(photo["buffer"], "WOMEN/Dresses/id_00000300/01_1_front.jpg"))
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)

    page.goto("/")
    page.set_input_files("#choose", photo)  # type: ignore[arg-type]
    page.wait_for_selector("#results:not(.stale)[aria-busy=false] .card:not(.waiting)")

    first = page.locator(".card").first
    assert first.get_attribute("data-item") == "WOMEN/Dresses/id_00000300"
    thumbnail = first.locator("img")
    assert (thumbnail.get_attribute("src") or "").startswith("/image-lens/")
    width = thumbnail.evaluate("img => img.decode().then(() => img.naturalWidth)")
    assert width > 0
    assert complaints == []

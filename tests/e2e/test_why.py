"""The viewer's "Why this?": what is drawn over both photos, and that it follows what is covered."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.e2e.conftest import Shop, Visit, Visits

# The mean place, 0..1, of what a canvas shows brightest, as it was dimmed.
_VEIL = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let [clear, x, y] = [0, 0, 0];
  for (let i = 3; i < data.length; i += 4) {
    const weight = 190 - Math.min(190, data[i]);
    clear += weight;
    x += weight * (((i - 3) / 4) % width);
    y += weight * Math.floor((i - 3) / 4 / width);
  }
  return [clear / width / height, x / clear / width, y / clear / height];
}"""

# Every search's reply is as that of a model which cannot tell.
_UNTOLD = """() => {
  const { get } = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "response");
  const untold = function () {
    return { ...get.call(this), explained: false };
  };
  Object.defineProperty(XMLHttpRequest.prototype, "response", { get: untold });
}"""


def opened(visit: Visit, photo: bytes) -> Page:
    """Search with a photo, open the first product, and ask why."""
    visit.choose({"name": "a.png", "mimeType": "image/png", "buffer": photo})
    page = visit.page
    page.locator(".card .open").first.click()
    page.get_by_role("button", name="Why this?").click()
    page.wait_for_function(
        "(words) => words.textContent && !words.textContent.startsWith('Looking')",
        arg=page.locator(".because").element_handle(),
    )
    return page


def png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.slow
def test_why_shows_the_parts_of_both_photos_until_it_is_pressed_again(
    visit: Visit, shop: Shop
) -> None:
    page = opened(visit, png(Image.open(shop.photo("Dresses"))))
    veil, own = page.locator(".large .veil"), page.locator(".large .own")
    assert veil.is_visible() and own.is_visible()
    assert page.locator(".because").inner_text() == "What is bright makes the two alike."
    clear, x, y = veil.evaluate(_VEIL)
    assert 2 < clear < 150 and 0.2 < x < 0.8 and 0.2 < y < 0.8
    button = page.get_by_role("button", name="Why this?")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert not veil.is_visible() and not own.is_visible()
    assert page.locator(".because").inner_text() == ""
    assert button.get_attribute("aria-pressed") == "false"


@pytest.mark.slow
def test_the_veil_lies_on_the_picture_at_any_width(visits: Visits, shop: Shop) -> None:
    for width in (390, 1440):
        visit = visits(width)
        page = opened(visit, png(Image.open(shop.photo("Dresses"))))
        image, veil = (page.locator(f".large {name}") for name in ("img", ".veil"))
        outer, inner = image.bounding_box(), veil.bounding_box()
        assert outer is not None and inner is not None
        natural = image.evaluate("image => image.naturalWidth / image.naturalHeight")
        assert inner["width"] / inner["height"] == pytest.approx(natural, abs=0.01)
        assert inner["x"] + inner["width"] / 2 == pytest.approx(
            outer["x"] + outer["width"] / 2, abs=1
        )
        page.set_viewport_size({"width": width - 60, "height": 700})
        page.wait_for_function(
            "(veil) => veil.offsetWidth <= veil.parentElement.offsetWidth",
            arg=veil.element_handle(),
        )


@pytest.mark.slow
def test_covering_a_part_of_the_photo_moves_what_is_shown(visits: Visits, shop: Shop) -> None:
    whole = Image.open(shop.photo("Dresses")).convert("RGB")
    covered = whole.copy()
    covered.paste("white", (0, whole.height // 2, whole.width, whole.height))
    heights = []
    for image in (whole, covered):
        visit = visits()
        with visit.page.expect_response("**/api/why") as reply:
            opened(visit, png(image))
        part = reply.value.json()["query"]
        assert part is not None and visit.page.locator(".large .own").is_visible()
        heights.append(_height(part))
    assert heights[1] < heights[0] - 0.1


@pytest.mark.slow
def test_nothing_is_offered_where_the_model_cannot_tell(visit: Visit, shop: Shop) -> None:
    visit.page.evaluate(_UNTOLD)
    visit.choose(shop.photo("Dresses"))
    visit.page.locator(".card .open").first.click()
    assert visit.page.locator(".more").last.is_visible()
    assert not visit.page.locator(".why").is_visible()


@pytest.mark.slow
def test_a_server_that_fails_is_said_to_have_failed(visit: Visit, shop: Shop) -> None:
    visit.forgiven = "500"
    visit.page.route("**/api/why", lambda route: route.fulfill(status=500, json={}))
    page = opened(visit, png(Image.open(shop.photo("Dresses"))))
    assert page.locator(".because").inner_text() == "Which parts match cannot be told now."
    assert not page.locator(".large .veil").is_visible()


def _height(part: dict[str, Any]) -> float:
    """Where the shares lie in the mean, from the photo's top 0 to its bottom 1."""
    _, top, _, bottom = part["box"]
    rows: list[float] = [sum(row) for row in part["places"]]
    middles: list[float] = [top + (bottom - top) * (n + 0.5) / len(rows) for n in range(len(rows))]
    return sum(row * middle for row, middle in zip(rows, middles, strict=True)) / sum(rows)

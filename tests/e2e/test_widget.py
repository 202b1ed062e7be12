"""The widget in a real Chromium: <image-lens> in the page of a shop at another origin."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from lambdas.local.server.page import frontend_folder
from tests.e2e.conftest import PATIENCE, Shop
from tests.e2e.serving import serving
from tests.e2e.shop_page import ShopPage, shop_page

pytestmark = pytest.mark.slow

KB = 1_000
# Keeps what the page around hears, and whatever its policy forbids.
_HEAR = """
window.heard = [];
window.forbidden = [];
for (const name of ["lens-search", "lens-open", "lens-shop", "lens-error"]) {
  addEventListener(name, ({ target, detail }) => window.heard.push([name, target.id, detail]));
}
addEventListener("securitypolicyviolation", (event) =>
  window.forbidden.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@pytest.fixture(scope="module")
def outside() -> Iterator[ShopPage]:
    with shop_page() as page:
        yield page


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("widget") / "searches.jsonl"


@pytest.fixture(scope="module")
def lens(shop: Shop, outside: ShopPage, log: Path) -> Iterator[str]:
    """The address of a server that lets this one site's page have the widget and frame the page."""
    made, count = shop.folder.parent / "artifacts", len(shop.photos)
    with serving(
        shop.folder,
        made,
        count,
        LENS_CORS_ORIGINS=outside.address,
        LENS_FRAME_ANCESTORS=outside.address,
        LENS_SEARCH_LOG=str(log),
    ) as server:
        yield server.address


@pytest.fixture
def site(outside: ShopPage, lens: str) -> ShopPage:
    """The shop's page as it is at first."""
    fresh = ShopPage(outside.address)
    for name in ("policy", "body", "style"):
        setattr(outside, name, getattr(fresh, name))
    outside.lens = lens
    return outside


@pytest.fixture
def page(browser: Browser, site: ShopPage) -> Iterator[Page]:
    """A tab that stays without errors and violations."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_HEAR)
    context.route("https://shop.example/**", lambda route: route.fulfill(body="the product"))
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None,
    )
    yield page
    assert page.evaluate("window.forbidden") == []
    context.close()
    assert complaints == []


def visit(page: Page, site: ShopPage, body: str = "", style: str = "") -> None:
    site.body = body or site.body
    site.style += style
    page.goto(site.address)
    page.wait_for_selector("image-lens #examples:not([hidden])")


def choose(widget: Locator, photo: Path | dict[str, Any]) -> None:
    widget.locator("#choose").set_input_files(photo)  # type: ignore[arg-type]
    expect(widget.locator("#results")).to_have_attribute("aria-busy", "false")
    expect(widget.locator(".card:not(.waiting)")).not_to_have_count(0)


def heard(page: Page) -> list[tuple[str, str, dict[str, Any]]]:
    told: list[list[Any]] = page.evaluate("window.heard")
    return [(name, element, detail) for name, element, detail in told]


def style_of(part: Locator, name: str) -> str:
    return str(part.evaluate("(part, name) => getComputedStyle(part)[name]", name))


def test_a_shopper_searches_in_the_shops_own_page_and_the_shop_hears_of_it(
    page: Page, site: ShopPage, shop: Shop, log: Path
) -> None:
    visit(page, site)
    before = page.evaluate("history.length")
    widget = page.locator("image-lens")
    photo = shop.photo("Dresses", "2_side")
    choose(widget, photo)
    expect(widget.locator(".card").first).to_have_attribute("data-item", photo.parent.name)
    assert widget.locator(".card .open img").first.evaluate(
        "(image) => image.decode().then(() => image.naturalWidth)"
    )
    products = widget.locator(".card").count()
    item = widget.locator(".card").nth(1).get_attribute("data-item")
    widget.locator(".card .open").nth(1).click()
    link = widget.get_by_role("dialog").get_by_role("link", name="View at the shop")
    address = link.get_attribute("href")
    with page.expect_popup():
        link.click()
    page.keyboard.press("Escape")
    expect(widget.get_by_role("dialog")).to_be_hidden()
    widget.locator("#choose").set_input_files(
        {"name": "a.txt", "mimeType": "image/jpeg", "buffer": b"words"}
    )
    expect(widget.locator(".notice")).to_contain_text("That is not a photo")

    searched, opened, shopped, failed = heard(page)
    assert searched == ("lens-search", "", {"match": "exact", "products": products})
    rank = opened[2]["rank"]
    assert rank > 1
    assert opened == ("lens-open", "", {"item_id": item, "rank": rank})
    assert shopped == ("lens-shop", "", {"item_id": item, "rank": rank, "link": address})
    assert failed == ("lens-error", "", {"code": "not_an_image"})
    assert page.evaluate("history.length") == before, "the page's back button is the page's"
    assert page.title() == "A shop"
    deadline = time.monotonic() + PATIENCE / 1_000
    while '"click"' not in log.read_text():
        assert time.monotonic() < deadline, "the server was told of the click, too"
        time.sleep(0.05)


def test_more_like_a_product_works_from_another_origin(page: Page, site: ShopPage) -> None:
    visit(page, site)
    page.locator("#examples button").first.click()
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".card .badge").first).to_be_visible()


def test_the_words_are_in_the_readers_size_and_in_the_widgets_own_style(
    page: Page, site: ShopPage
) -> None:
    visit(page, site)
    lead = page.locator("image-lens .lead")
    assert style_of(page.locator("body"), "letterSpacing") == "3px"
    assert style_of(lead, "letterSpacing") == "normal"
    assert style_of(page.locator("image-lens .bar"), "fontSize") == "16px"
    assert style_of(page.locator("h1").first, "fontSize") == "20px", "the page's rem is 10 pixels"


def test_two_widgets_on_a_page_do_not_disturb_each_other(
    page: Page, site: ShopPage, shop: Shop
) -> None:
    visit(page, site, '<image-lens id="a"></image-lens><image-lens id="b"></image-lens>')
    a, b = page.locator("#a"), page.locator("#b")
    choose(a, shop.photo("Sweaters"))
    expect(b.locator("#start")).to_be_visible()
    choose(b, shop.photo("Denim"))
    for widget, category in ((a, "Sweaters"), (b, "Denim")):
        item = shop.photo(category).parent.name
        expect(widget.locator(".card").first).to_have_attribute("data-item", item)
    a.locator(".card .open").nth(1).click()
    page.keyboard.press("Escape")
    expect(a.get_by_role("dialog")).to_be_hidden()
    a.locator("#home").click()
    expect(a.locator("#start")).to_be_visible()
    expect(b.locator("#search")).to_be_visible()
    assert [each[:2] for each in heard(page)] == [
        ("lens-search", "a"),
        ("lens-search", "b"),
        ("lens-open", "a"),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_variables_change_colors_corners_and_type_in_light_and_dark(
    page: Page, site: ShopPage, shop: Shop, scheme: str
) -> None:
    visit(
        page,
        site,
        style="""
          image-lens {
            --lens-accent: rgb(0, 100, 50);
            --lens-background: light-dark(rgb(250, 250, 255), rgb(10, 10, 20));
            --lens-text: light-dark(rgb(20, 20, 30), rgb(240, 240, 250));
            --lens-radius: 0px;
            --lens-font: Georgia;
            --lens-heading-font: Impact;
          }""",
    )
    page.locator("html").evaluate("(html, scheme) => (html.style.colorScheme = scheme)", scheme)
    choose(page.locator("image-lens"), shop.photo("Sweaters"))
    dark = scheme == "dark"
    app, badge = page.locator("#lens"), page.locator(".badge").first
    assert style_of(badge, "backgroundColor") == "rgb(0, 100, 50)"
    assert style_of(app, "backgroundColor") == ("rgb(10, 10, 20)" if dark else "rgb(250, 250, 255)")
    assert style_of(app, "color") == ("rgb(240, 240, 250)" if dark else "rgb(20, 20, 30)")
    assert style_of(page.locator(".chip").first, "borderRadius") == "0px"
    assert style_of(app, "fontFamily") == "Georgia"
    assert style_of(page.locator("#results-title"), "fontFamily") == "Impact"


def test_a_light_page_has_a_light_widget_whatever_the_reader_prefers(
    page: Page, site: ShopPage
) -> None:
    page.emulate_media(color_scheme="dark")
    visit(page, site)
    assert style_of(page.locator("#lens"), "backgroundColor") == "rgb(250, 248, 245)"
    visit(page, site, style=":root { color-scheme: light dark; }")
    assert style_of(page.locator("#lens"), "backgroundColor") == "rgb(21, 20, 18)"


def test_the_layout_follows_the_elements_width(page: Page, site: ShopPage, shop: Shop) -> None:
    visit(page, site, style="image-lens { width: 320px; }")
    widget = page.locator("image-lens")
    choose(widget, shop.photo("Sweaters"))
    photo, results = widget.locator(".photo"), widget.locator("#results")
    above, below = photo.bounding_box(), results.bounding_box()
    assert above is not None and below is not None
    assert below["y"] > above["y"] + above["height"]
    assert page.locator("#lens").evaluate("(lens) => lens.scrollWidth") <= 320


# A drop or a paste of a file, as the browser would tell of it.
_GIVE = """
(element, [kind, data]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  transfer.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  const options = { bubbles: true, cancelable: true, composed: true };
  const event = kind === "paste"
    ? new ClipboardEvent(kind, { ...options, clipboardData: transfer })
    : new DragEvent(kind, { ...options, dataTransfer: transfer });
  element.dispatchEvent(event);
  return event.defaultPrevented;
}
"""


def give(part: Locator, kind: str, photo: Path) -> bool:
    """Whether the drop or paste was taken."""
    data = base64.b64encode(photo.read_bytes()).decode()
    return bool(part.evaluate(_GIVE, [kind, data]))


def test_what_is_dropped_beside_the_widget_is_the_pages(
    page: Page, site: ShopPage, shop: Shop
) -> None:
    visit(page, site)
    photo, heading = shop.photo("Denim"), page.locator("h1").first
    for kind in ("dragenter", "dragover", "drop"):
        assert not give(heading, kind, photo)
    expect(page.locator("#veil")).to_be_hidden()
    give(page.locator(".hero"), "dragenter", photo)
    veil, widget = page.locator("#veil").bounding_box(), page.locator("image-lens").bounding_box()
    assert veil is not None and widget is not None
    assert veil["y"] > widget["y"] and veil["height"] < widget["height"], "it covers no other part"
    assert give(page.locator(".hero"), "drop", photo)
    expect(page.locator(".card").first).to_have_attribute("data-item", photo.parent.name)


def test_a_paste_is_the_widgets_while_the_pointer_or_the_focus_is_in_it(
    page: Page, site: ShopPage, shop: Shop
) -> None:
    visit(page, site, "<input id='words'><image-lens></image-lens>")
    photo, body = shop.photo("Denim"), page.locator("body")
    page.locator("h1").first.hover()
    give(body, "paste", photo)
    expect(page.locator("#start")).to_be_visible()
    page.locator("image-lens .lead").hover()
    give(page.locator("#words"), "paste", photo)
    page.wait_for_timeout(100)
    expect(page.locator("#start")).to_be_visible()
    give(body, "paste", photo)
    expect(page.locator(".card").first).to_have_attribute("data-item", photo.parent.name)
    page.locator("h1").first.hover()
    page.locator("#crop").focus()
    other = shop.photo("Sweaters")
    give(body, "paste", other)
    expect(page.locator(".card").first).to_have_attribute("data-item", other.parent.name)


def test_a_widget_that_is_moved_goes_on_and_one_that_is_removed_stops(
    page: Page, site: ShopPage, shop: Shop
) -> None:
    visit(page, site, "<div id='there'></div><image-lens></image-lens>")
    widget = page.locator("image-lens")
    choose(widget, shop.photo("Denim"))
    page.evaluate("there.append(document.querySelector('image-lens'))")
    expect(widget.locator(".card").first).to_be_visible()
    choose(widget, shop.photo("Sweaters"))
    widget.locator(".card .open").nth(1).click()
    page.keyboard.press("Escape")
    expect(widget.get_by_role("dialog")).to_be_hidden()
    page.route("**/api/search-image", lambda route: None, times=1)  # never answered
    with page.expect_event("requestfailed") as failed:
        with page.expect_request("**/api/search-image"):
            widget.locator("#choose").set_input_files(shop.photo("Dresses"))
        page.evaluate("document.querySelector('image-lens').remove()")
    assert failed.value.failure == "net::ERR_ABORTED"
    assert [name for name, *_ in heard(page)] == ["lens-search", "lens-search", "lens-open"]


def test_an_address_that_is_none_is_an_error_that_says_what_to_write(
    browser: Browser, site: ShopPage
) -> None:
    site.body = '<image-lens api="lens.example"></image-lens>'
    with browser.new_context() as context:
        page = context.new_page()
        with page.expect_event("pageerror") as error:
            page.goto(site.address)
    assert '<image-lens api="lens.example">: write the server\'s whole address' in str(error.value)


def test_a_site_that_is_not_named_gets_no_widget(browser: Browser, site: ShopPage) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with page.expect_console_message(lambda line: "CORS" in line.text):
            page.goto(site.address.replace("localhost", "127.0.0.1"))
        assert not page.evaluate("customElements.get('image-lens')")


def test_a_named_site_may_frame_the_page_and_no_other(browser: Browser, site: ShopPage) -> None:
    site.policy, site.body = "", '<iframe src="{lens}/"></iframe>'
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site.address)
        inside = page.frame_locator("iframe")
        expect(inside.get_by_role("heading", name="Photograph a garment")).to_be_visible()
        with page.expect_console_message(lambda line: "frame-ancestors" in line.text):
            page.goto(site.address.replace("localhost", "127.0.0.1"))
        expect(inside.locator("image-lens")).to_have_count(0)


def test_the_widget_is_small_and_comes_compressed(page: Page, site: ShopPage, shop: Shop) -> None:
    replies: list[Response] = []
    page.on("response", lambda reply: replies.append(reply))
    visit(page, site)
    page.wait_for_load_state("networkidle")
    at_first = own_sizes(replies, site)
    assert sum(at_first.values()) < 40 * KB, at_first
    choose(page.locator("image-lens"), shop.photo("Sweaters"))
    sizes = own_sizes(replies, site)
    assert sum(sizes.values()) < 85 * KB, sizes
    own = [each for each in replies if OWN.search(each.url) and site.lens in each.url]
    assert {each.headers["content-encoding"] for each in own if len(each.body()) > 500} == {"gzip"}
    files = {path.name for path in frontend_folder().iterdir() if path.suffix in {".css", ".js"}}
    of_the_page = {"page.css", "kept.js"}
    assert set(sizes) == {*files - of_the_page, "en.js"}, "one language, and no file in vain"


OWN = re.compile(r"\.(js|css|html)$")


def own_sizes(replies: list[Response], site: ShopPage) -> dict[str, int]:
    """What the server's own files weighed as they came, by name."""
    own = [each for each in replies if OWN.search(each.url) and site.lens in each.url]
    return {each.url.rsplit("/", 1)[1]: each.request.sizes()["responseBodySize"] for each in own}

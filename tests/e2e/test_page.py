"""The page in a real Chromium: giving a photo, results, errors, accessibility and size."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, Response, Route, expect

from lambdas.local.server.page import frontend_folder, headers
from tests.e2e.conftest import Visit, Visits, collage, wait_for_searches

pytestmark = pytest.mark.slow

HEIC = Path(__file__).parents[1] / "lens" / "photos" / "files" / "plain.heic"
KB = 1_000
TRAVEL_BYTES = 200 * KB
# Outside of its shadow root, the focused part is the element.
FOCUSED = "(s) => document.querySelector('image-lens').shadowRoot.activeElement?.matches(s)"


def title(visit: Visit) -> str:
    return visit.page.locator("#results-title").inner_text()


def large_photo(*, orientation: int = 1) -> bytes:
    """A 12 MP JPEG with noise like a phone's; its top left quarter is red before it is rotated."""
    grain = np.random.default_rng(0).integers(0, 90, (3000, 4000, 3), dtype=np.uint8)
    grain[:1500, :2000, 0] += 160
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = BytesIO()
    Image.fromarray(grain).save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


# ---- giving a photo


def test_a_chosen_photo_finds_its_item_first_and_says_that_it_is_this_very_photo(
    visit: Visit,
) -> None:
    photo = visit.shop.photo("Sweaters", "2_side")
    with visit.page.expect_file_chooser() as chooser:
        visit.page.get_by_role("button", name="Choose a photo").click()
    chooser.value.set_files(photo)
    visit.settled()
    assert visit.items()[0] == photo.parent.name
    assert title(visit) == "This very photo is in the catalog"
    expect(visit.page.locator(".card.best .badge")).to_have_text("This very photo")
    assert visit.sent() == [photo.read_bytes()], "a small photo is uploaded unchanged"


def test_a_product_has_its_name_its_price_and_a_way_to_the_shop(visit: Visit) -> None:
    photo = visit.shop.photo("Dresses", "2_side")
    visit.choose(photo)
    best = visit.page.locator(".card.best")
    name = best.locator("h2").inner_text()
    assert name.endswith(" Dress")
    price = " ".join(best.locator(".price").inner_text().split())
    assert re.fullmatch(r"€\d+|Sale price: €\d+ Before the sale: €\d+", price)
    best.locator(".open").click()
    expect(visit.page.locator("#viewer-title")).to_have_text(name)
    shop = visit.page.get_by_role("dialog").get_by_role("link", name="View at the shop")
    expect(shop).to_be_visible()
    address = shop.get_attribute("href")
    assert address is not None
    assert address.startswith(f"https://shop.example/{photo.parent.name}?color=")
    expect(shop).to_have_attribute("rel", "noopener")
    # Another view of it, one that the search may not have found, is the same product.
    visit.page.locator("#viewer .views button").last.click()
    expect(visit.page.locator("#viewer-title")).to_have_text(name)
    expect(shop).to_be_visible()


def test_a_photo_can_be_dropped_anywhere(visit: Visit) -> None:
    photo = visit.shop.photo("Denim")
    transfer = visit.page.evaluate_handle(
        """(data) => {
          const transfer = new DataTransfer();
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          transfer.items.add(new File([bytes], "jeans.jpg", { type: "image/jpeg" }));
          return transfer;
        }""",
        base64.b64encode(photo.read_bytes()).decode(),
    )
    visit.page.dispatch_event(".hero", "dragenter", {"dataTransfer": transfer})
    expect(visit.page.locator("#veil")).to_be_visible()
    visit.page.dispatch_event(".hero", "drop", {"dataTransfer": transfer})
    visit.settled()
    expect(visit.page.locator("#veil")).to_be_hidden()
    assert visit.items()[0] == photo.parent.name


def test_a_photo_can_be_pasted_and_text_is_refused(visits: Visits) -> None:
    visit = visits(permissions=["clipboard-read", "clipboard-write"])
    visit.page.evaluate("navigator.clipboard.writeText('a dress')")
    visit.page.keyboard.press("Control+V")
    assert "no photo to paste" in visit.notice()
    photo = visit.shop.photo("Dresses")
    out = BytesIO()
    Image.open(photo).save(out, "PNG")
    visit.page.evaluate(
        """async (data) => {
          const blob = new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))],
                                { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(out.getvalue()).decode(),
    )
    visit.page.keyboard.press("Control+V")
    visit.settled()
    assert visit.items()[0] == photo.parent.name


def test_a_phone_offers_its_camera(visits: Visits) -> None:
    visit = visits(360, touch=True)
    assert visit.page.get_attribute("#camera", "capture") == "environment"
    with visit.page.expect_file_chooser() as chooser:
        visit.page.get_by_role("button", name="Take a photo").tap()
    chooser.value.set_files(visit.shop.photo("Sweaters"))
    visit.settled()


def test_a_desktop_does_not_offer_a_camera(visit: Visit) -> None:
    expect(visit.page.get_by_role("button", name="Take a photo")).to_have_count(0)


# ---- what is uploaded


def test_a_12_megapixel_photo_travels_small_and_upright(visit: Visit) -> None:
    photo = large_photo(orientation=6)
    assert len(photo) > 5_000 * KB
    requests: list[int] = []
    visit.page.on(
        "requestfinished",
        lambda request: (
            requests.append(request.sizes()["requestBodySize"])
            if request.url.endswith("/search-image")
            else None
        ),
    )
    visit.choose({"name": "large.jpg", "mimeType": "image/jpeg", "buffer": photo})
    (sent,) = visit.sent()
    assert len(sent) <= TRAVEL_BYTES
    assert all(size <= TRAVEL_BYTES + 2 * KB for size in requests)
    image = opened(sent)
    assert image.size == (768, 1024)
    assert image.getexif().get(0x0112, 1) == 1
    pixels = np.asarray(image.convert("RGB"), dtype=float)
    assert pixels[:400, 500:, 0].mean() > pixels[:400, :300, 0].mean() + 80, "red is top right"


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("hidden", ["exif", "xmp"])
def test_a_small_photo_travels_without_its_position(kind: str, hidden: str, visit: Visit) -> None:
    """Also one that weighs so little that it need not be made smaller."""
    exif = Image.Exif()
    exif[0x010F] = "Telltale"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" exif:GPSLatitude="52,31N" by="Telltale"/>'
    out = BytesIO()
    photo = Image.open(visit.shop.photo("Dresses")).resize((320, 400))
    if hidden == "exif":
        photo.save(out, kind, exif=exif)
    elif kind == "png":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        photo.save(out, kind, pnginfo=text)
    else:
        photo.save(out, kind, xmp=xmp)
    assert b"Telltale" in out.getvalue() and len(out.getvalue()) < TRAVEL_BYTES
    visit.choose({"name": f"x.{kind}", "mimeType": f"image/{kind}", "buffer": out.getvalue()})
    (sent,) = visit.sent()
    image = opened(sent)
    assert not dict(image.getexif()) and not image.info.keys() & {"exif", "xmp"}
    assert b"Telltale" not in sent
    assert visit.items()[0] == visit.shop.photo("Dresses").parent.name


def test_what_the_browser_cannot_decode_is_sent_as_it_is_and_found(visit: Visit) -> None:
    heic = HEIC.read_bytes()
    visit.choose({"name": "phone.heic", "mimeType": "image/heic", "buffer": heic})
    assert visit.sent() == [heic]
    expect(visit.page.locator("#no-preview")).to_contain_text("phone.heic")


def test_a_shrunk_copy_is_recognized_as_the_photo(visit: Visit) -> None:
    """Another file with the same picture: neither its bytes nor its size are the catalog's."""
    out = BytesIO()
    Image.open(visit.shop.photo("Dresses")).resize((960, 1200)).save(out, "PNG")
    visit.choose({"name": "copy.png", "mimeType": "image/png", "buffer": out.getvalue()})
    expect(visit.page.locator("#results-title")).to_have_text("This very photo is in the catalog")


def test_a_photo_without_a_garment_is_told_that_nothing_like_it_is_here(visit: Visit) -> None:
    pixels = np.zeros((600, 800, 3), np.uint8)
    pixels[..., 1] = np.linspace(90, 160, 600)[:, None]  # a meadow
    pixels[:250, :, 2] = 220  # and a sky
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    visit.choose({"name": "meadow.png", "mimeType": "image/png", "buffer": out.getvalue()})
    title = visit.page.locator("#results-title")
    expect(title).to_have_text("Nothing like this here. The nearest:")
    expect(visit.page.locator(".card .match").first).to_have_text("Not alike")
    assert visit.page.locator(".card.best").count() == 0


def test_a_model_that_cannot_tell_whether_it_matches_says_nothing_of_it(visit: Visit) -> None:
    def answer(route: Route) -> None:
        reply = route.fetch()
        found = reply.json() | {"match": None, "match_probability": None}
        found["hits"] = [{**hit, "exact": False, "match": None} for hit in found["hits"]]
        route.fulfill(response=reply, json=found)

    visit.page.route("**/api/search-image", answer)
    visit.choose(collage(visit.shop)[0])
    expect(visit.page.locator("#results-title")).to_contain_text("look like this")
    expect(visit.page.locator(".card .match").first).to_be_hidden()


# ---- results


def test_photos_of_one_item_are_one_card_and_the_larger_view_has_them_all(visit: Visit) -> None:
    photo = visit.shop.photo("Sweaters")
    visit.choose(photo)
    items = visit.items()
    assert len(items) == len(set(items))
    visit.page.locator(".card").first.locator(".open").click()
    viewer = visit.page.get_by_role("dialog")
    expect(viewer).to_be_visible()
    views = len(list(photo.parent.glob("*.jpg")))
    expect(viewer.locator(".views button")).to_have_count(views)
    viewer.locator(".views button").nth(1).click()
    expect(viewer.locator(".views button").nth(1)).to_have_attribute("aria-pressed", "true")
    visit.page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert visit.searches() == 1


def test_a_catalog_photo_that_the_browser_cannot_decode_is_shown_by_its_thumbnail(
    visit: Visit,
) -> None:
    visit.page.route(
        "**/catalog/**",
        lambda route: route.fulfill(body=HEIC.read_bytes(), content_type="image/heic"),
    )
    visit.choose(visit.shop.photo("Sweaters"))
    visit.page.locator(".card .open").first.click()
    image = visit.page.get_by_role("dialog").locator(".large img")
    expect(image).to_have_attribute("src", re.compile("/api/thumb/"))
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0


def test_thumbnails_are_loaded_as_they_come_into_sight(visit: Visit) -> None:
    visit.choose(visit.shop.photo("Sweaters"))
    images = visit.page.locator("#hits img")
    assert set(images.evaluate_all("all => all.map((i) => i.loading)")) == {"lazy"}


def test_a_photo_of_the_catalog_is_searched_with_from_the_start_and_from_the_larger_view(
    visit: Visit,
) -> None:
    visit.page.locator("#examples button").first.click()
    visit.settled()
    second = visit.items()[1]
    visit.page.locator(".card").nth(1).locator(".open").click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Search with this photo").click()
    wait_for_searches(visit, 2)
    expect(dialog).to_be_hidden()
    assert visit.items()[0] == second
    expect(visit.page.locator("#photo-title")).to_be_focused()


def test_the_filter_shows_only_its_category(visit: Visit) -> None:
    visit.choose(visit.shop.photo("Sweaters"))
    everything = visit.items()
    chip = visit.page.locator(".chip").nth(2)
    category = chip.inner_text().removeprefix("Women · ")
    chip.click()
    wait_for_searches(visit, 2)
    assert set(visit.items()) < set(everything)
    categories = {photo.parent.name: photo.parent.parent.name for photo in visit.shop.photos}
    assert {categories[item].replace("_", " & ") for item in visit.items()} == {category}
    visit.page.locator(".chip", has_text="Everything").click()
    visit.settled()
    assert visit.items() == everything
    assert visit.searches() == 2, "known results are not asked for again"


def test_back_and_forward_go_through_what_was_seen(visit: Visit) -> None:
    page = visit.page
    visit.choose(visit.shop.photo("Sweaters"))
    first = visit.items()
    page.locator(".chip").nth(2).click()
    wait_for_searches(visit, 2)
    filtered = visit.items()
    page.locator(".card .open").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert visit.items() == filtered
    page.go_back()
    assert visit.items() == first
    page.go_back()
    expect(page.get_by_role("heading", name="Photograph a garment")).to_be_visible()
    page.go_forward()
    assert visit.items() == first
    page.go_forward()
    assert visit.items() == filtered
    expect(page.locator(".chip :checked")).to_have_value(re.compile("WOMEN/"))
    assert visit.searches() == 2
    page.reload()
    visit.settled()
    assert visit.items() == filtered


# ---- errors


def test_a_search_can_be_canceled_and_begun_again(visit: Visit) -> None:
    visit.page.route("**/api/search-image", lambda route: None, times=1)  # never answered
    # Canceled sooner, the next one would be the one.
    with visit.page.expect_request("**/api/search-image"):
        visit.page.set_input_files("#choose", visit.shop.photo("Sweaters"))
    visit.page.get_by_role("button", name="Cancel").click()
    assert "canceled" in visit.notice()
    expect(visit.page.locator(".waiting")).to_have_count(0)
    visit.page.get_by_role("button", name="Search again").click()
    visit.settled()
    expect(visit.page.locator(".notice")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("notes.txt", b"not a photo", "That is not a photo"),
        ("empty.jpg", b"", "That file is empty"),
        ("broken.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 99, "That photo is damaged"),
    ],
)
def test_what_is_no_photo_is_told_before_anything_is_sent(
    visit: Visit, name: str, data: bytes, says: str
) -> None:
    visit.page.set_input_files("#choose", {"name": name, "mimeType": "image/jpeg", "buffer": data})
    visit.page.wait_for_selector(".notice")
    assert says in visit.notice()
    assert "hoose" in visit.notice()
    assert visit.searches() == 0
    expect(visit.page.locator("#status")).to_contain_text(says)


@pytest.mark.parametrize(("share", "shown"), [(1.0, True), (0.5, False)])
def test_a_photo_without_its_end_is_searched_and_half_a_photo_is_damaged(
    visit: Visit, share: float, shown: bool
) -> None:
    data = visit.shop.photo("Sweaters").read_bytes()
    data = data[: int(share * len(data)) - 2]
    file: dict[str, Any] = {"name": "cut.jpg", "mimeType": "image/jpeg", "buffer": data}
    if shown:
        visit.choose(file)
        assert visit.searches() == 1
    else:
        visit.page.set_input_files("#choose", file)  # type: ignore[arg-type]
        visit.page.wait_for_selector(".notice")
        assert "That photo is damaged" in visit.notice()


def test_an_empty_catalog_says_what_to_do(visit: Visit) -> None:
    visit.page.route(
        "**/api/search-image",
        lambda route: route.fulfill(json={"model_id": "m", "commit": 1, "hits": []}),
    )
    visit.page.set_input_files("#choose", visit.shop.photo("Sweaters"))
    visit.page.wait_for_selector(".notice")
    assert "The catalog is empty" in visit.notice()
    assert "add photos" in visit.notice()


# ---- accessibility


def test_everything_can_be_done_with_the_keyboard(visit: Visit) -> None:
    page = visit.page

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(FOCUSED, selector):
                return
        raise AssertionError(f"Tab never reaches {selector}")

    # Started before the first key press: Playwright does not wait until it intercepts choosers, and
    # on a busy machine the key can be faster.
    with page.expect_file_chooser() as chooser:
        tab_to("#start [data-pick=choose]")
        page.keyboard.press("Enter")
    chooser.value.set_files(visit.shop.photo("Sweaters"))
    visit.settled()
    expect(page.locator("#photo-title")).to_be_focused()
    tab_to("#crop")
    page.keyboard.press("Shift+ArrowUp")
    wait_for_searches(visit, 2)
    tab_to(".chip input")
    page.keyboard.press("ArrowRight")
    wait_for_searches(visit, 3)
    expect(page.locator(".chip input:focus")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    visit.settled()
    tab_to(".card .open")
    page.keyboard.press("Enter")
    expect(page.locator("#viewer-title")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate(FOCUSED, ".card .open"), "focus comes back"
    tab_to(".card .more")
    page.keyboard.press("Enter")
    wait_for_searches(visit, 4)


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {[node['html'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_width_scrolls_sideways_and_axe_finds_nothing_serious(
    visits: Visits, width: int, scheme: str
) -> None:
    visit = visits(width, touch=width < 600, color_scheme=scheme, reduced_motion="reduce")
    page = visit.page

    def fine() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == []

    fine()
    visit.choose(visit.shop.photo("Sweaters"))
    page.wait_for_timeout(250)
    fine()
    page.locator(".card .open").first.click()
    page.wait_for_selector("#viewer[open]")
    fine()
    page.keyboard.press("Escape")
    page.set_input_files("#choose", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"})
    page.wait_for_selector(".notice")
    fine()


# ---- size and security policy


def test_the_page_is_small(visits: Visits, browser_bytes: dict[str, int]) -> None:
    del visits
    page = [path for path in frontend_folder().iterdir() if path.is_file()]
    words = max(path.stat().st_size for path in (frontend_folder() / "words").iterdir())
    assert sum(path.stat().st_size for path in page) + words < 220 * KB
    assert sum(browser_bytes.values()) < 100 * KB, browser_bytes  # compressed, headers included
    files = {path.name for path in page if path.suffix in {".css", ".js"}}
    assert {"/", *(f"/{name}" for name in files)} <= set(browser_bytes), "one is for nothing"


def test_what_the_start_needs_is_asked_for_at_once_and_nothing_else() -> None:
    html = (frontend_folder() / "index.html").read_text()
    asked = re.findall(r'<link rel="(?:modulepreload|preload)" href="/(.+?)"', html)
    needed = {*started_modules()} - {"lens-widget.js"} | {f"{name}.css" for name in sheets("START")}
    assert sorted(asked) == sorted(needed)


def started_modules() -> Iterator[str]:
    """The modules that are there before anything is searched."""
    todo, seen = ["lens-widget.js", "app.js", "markup.js"], set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            yield name
            text = (frontend_folder() / name).read_text()
            todo += re.findall(r'^import .*?"\./(.+?)";', text, re.MULTILINE | re.DOTALL)


def sheets(list_name: str) -> list[str]:
    """The names in one of the lists of sheets.js."""
    listed = re.search(rf"{list_name} = \[(.+?)\]", (frontend_folder() / "sheets.js").read_text())
    assert listed
    return re.findall(r'"(.+?)"', listed[1])


@pytest.fixture
def browser_bytes(visits: Visits) -> dict[str, int]:
    """The bytes that a first visit loads by path, headers included, without thumbnails."""
    visit = visits()
    loaded: dict[str, int] = {}

    def count(response: Response) -> None:
        path = response.url.removeprefix(visit.shop.server.address)
        if not path.startswith("/api/thumb/"):
            sizes = response.request.sizes()
            loaded[path] = sizes["responseBodySize"] + sizes["responseHeadersSize"]

    responses: list[Response] = []
    visit.page.on("response", lambda response: responses.append(response))
    visit.page.reload(wait_until="networkidle")
    for response in responses:
        count(response)
    return loaded


def test_the_page_comes_with_a_strict_policy_and_keeps_to_it(visit: Visit) -> None:
    reply = visit.page.goto(visit.shop.server.address)
    assert reply is not None
    for name, value in headers().items():
        assert reply.headers[name.lower()] == value
    policy = reply.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    visit.choose(visit.shop.photo("Sweaters"))


def test_a_browser_marks_the_pages_own_requests_and_gets_paths(visit: Visit) -> None:
    told = visit.page.evaluate("fetch('/api/categories').then((reply) => reply.json())")
    photo = told["categories"][0]["photo"]
    assert photo["image_url"].startswith("/catalog/")
    assert photo["thumb_url"].startswith("/api/thumb/")

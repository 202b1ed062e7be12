"""The page in a real Chromium: giving a photo, results, errors, accessibility and size."""

from __future__ import annotations

import base64
import re
import shutil
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
from tests.e2e.conftest import Shop, Visit, Visits
from tests.e2e.serving import serving

pytestmark = pytest.mark.slow

HEIC = Path(__file__).parents[1] / "lens" / "photos" / "files" / "plain.heic"
KB = 1_000
TRAVEL_BYTES = 200 * KB
# Outside of its shadow root, the focused part is the element.
FOCUSED = "(s) => document.querySelector('image-lens').shadowRoot.activeElement?.matches(s)"


def title(visit: Visit) -> str:
    return visit.page.locator("#results-title").inner_text()


def wait_for_searches(visit: Visit, count: int) -> None:
    visit.page.wait_for_function("(count) => window.sent.length >= count", arg=count)
    visit.settled()


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


# ---- the crop box


def collage(shop: Shop) -> tuple[dict[str, Any], str]:
    """Two garments side by side, and the item on the right."""
    left, right = shop.photo("Sweaters"), shop.photo("Dresses")
    both = Image.new("RGB", (960, 600))
    for place, photo in enumerate((left, right)):
        both.paste(Image.open(photo), (480 * place, 0))
    out = BytesIO()
    both.save(out, "JPEG", quality=90)
    file: dict[str, Any] = {"name": "two.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}
    return file, right.parent.name


def as_bytes(photo: Path) -> dict[str, Any]:
    """A photo whose upload a route can read: of a file that is named by its path it sees none."""
    return {"name": photo.name, "mimeType": "image/jpeg", "buffer": photo.read_bytes()}


def see_no_garment(visit: Visit) -> None:
    """The server sees no garment, and searches the whole photo unless it is told otherwise."""

    def answer(route: Route) -> None:
        asked = b'name="region"' in (route.request.post_data_buffer or b"")
        reply = route.fetch()
        found = reply.json()
        if not asked:
            found |= {"regions": [], "region": None}
        route.fulfill(response=reply, json=found)

    visit.page.route("**/api/search-image", answer)


def test_a_box_drawn_with_the_mouse_is_what_is_searched(visit: Visit) -> None:
    see_no_garment(visit)
    file, item = collage(visit.shop)
    visit.choose(file)
    box = visit.page.locator("#stage").bounding_box()
    assert box is not None
    visit.page.mouse.move(box["x"] + box["width"] * 0.51, box["y"] + 16)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] * 0.99, box["y"] + box["height"] * 0.99, steps=5)
    visit.page.mouse.up()
    wait_for_searches(visit, 2)
    assert visit.items()[0] == item
    first, second = visit.sent()
    assert opened(first).size == (960, 600)
    assert first == second, "the server knows these bytes again"
    whole, drawn = visit.regions()
    assert whole is None
    assert drawn is not None
    expected = [0.51, 16 / box["height"], 0.99, 0.99]
    assert [float(number) for number in drawn.split(",")] == pytest.approx(expected, abs=0.02)
    visit.page.get_by_role("button", name="Whole photo").click()
    visit.page.wait_for_timeout(400)
    visit.settled()
    assert visit.searches() == 2, "the whole photo's results are still there"


def see_the_right_half(visit: Visit) -> None:
    """The server sees a garment there, and searches it unless it is told otherwise."""

    def answer(route: Route) -> None:
        asked = b'name="region"' in (route.request.post_data_buffer or b"")
        reply = route.fetch()
        found = reply.json()
        box = [0.5, 0, 1, 1]
        found["regions"] = [{"box": box, "confidence": 0.9, "kind": "one_piece"}]
        route.fulfill(response=reply, json=found if asked else {**found, "region": box})

    visit.page.route("**/api/search-image", answer)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_starts_from_the_garment_that_was_found_one_tap_from_the_whole_photo(
    visits: Visits, width: int
) -> None:
    visit = visits(width, touch=width < 600)
    see_the_right_half(visit)
    visit.choose(collage(visit.shop)[0])
    stage, shade = visit.page.locator("#stage"), visit.page.locator(".shade")
    expect(stage).to_have_class("cropped")
    photo, box = stage.bounding_box(), shade.bounding_box()
    assert photo is not None and box is not None
    assert box["x"] - photo["x"] == pytest.approx(photo["width"] / 2, abs=1)
    assert box["width"] == pytest.approx(photo["width"] / 2, abs=1)
    expect(visit.page.locator("#status")).to_contain_text("One garment of the photo")
    visit.page.get_by_role("button", name="Whole photo").click()
    wait_for_searches(visit, 2)
    assert visit.regions() == [None, "whole"]
    expect(stage).not_to_have_class("cropped")
    expect(visit.page.get_by_role("button", name="Whole photo")).to_be_hidden()
    visit.page.go_back()
    expect(stage).to_have_class("cropped")
    assert visit.searches() == 2, "what was found before is still there"


def test_the_garment_that_was_found_stays_marked_in_a_category_and_can_be_changed(
    visit: Visit,
) -> None:
    see_the_right_half(visit)
    visit.choose(collage(visit.shop)[0])
    visit.page.locator(".chip").nth(1).click()
    wait_for_searches(visit, 2)
    assert visit.regions() == [None, None]
    expect(visit.page.locator("#stage")).to_have_class("cropped")
    visit.page.locator("#crop").focus()
    visit.page.keyboard.press("Shift+ArrowUp")
    wait_for_searches(visit, 3)
    assert visit.regions()[2] == "0.5,0,1,0.98"
    visit.page.keyboard.press("Escape")
    wait_for_searches(visit, 4)
    assert visit.regions()[3] == "whole"


def test_a_corner_pulled_by_touch_and_the_box_moved_with_a_finger(visits: Visits) -> None:
    visit = visits(360, touch=True)
    see_no_garment(visit)
    visit.choose(as_bytes(visit.shop.photo("Dresses")))
    fingers = visit.page.context.new_cdp_session(visit.page)

    def drag(x: float, y: float, dx: float, dy: float) -> None:
        for kind, share in (("touchStart", 0), *(("touchMove", n / 4) for n in range(1, 5))):
            at = [{"x": x + dx * share, "y": y + dy * share}]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    stage = visit.page.locator("#stage").bounding_box()
    assert stage is not None
    width, height = stage["width"], stage["height"]
    drag(stage["x"] + width - 4, stage["y"] + height - 4, -width / 2, -height / 2)
    wait_for_searches(visit, 2)
    small = visit.page.locator("#crop").bounding_box()
    assert small is not None
    assert small["width"] == pytest.approx(width / 2, abs=3)
    drag(stage["x"] + width / 4, stage["y"] + height / 4, width / 4, height / 4)
    wait_for_searches(visit, 3)
    moved = visit.page.locator("#crop").bounding_box()
    assert moved is not None
    assert moved["x"] - small["x"] == pytest.approx(width / 4, abs=3)
    assert moved["width"] == pytest.approx(small["width"], abs=1)
    assert visit.page.evaluate("scrollY") == 0


def test_arrow_keys_crop_and_escape_goes_back_to_the_whole_photo(visit: Visit) -> None:
    see_no_garment(visit)
    visit.choose(as_bytes(visit.shop.photo("Dresses")))
    box = visit.page.locator("#crop")
    box.focus()
    for key in ["Shift+ArrowLeft"] * 10 + ["Shift+ArrowUp"] * 5 + ["ArrowRight"] * 3:
        visit.page.keyboard.press(key)
    wait_for_searches(visit, 2)
    crop = visit.page.evaluate("history.state.crop")
    assert crop == pytest.approx({"x": 0.06, "y": 0, "w": 0.8, "h": 0.9})
    expect(visit.page.locator("#status")).to_contain_text("found")
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_function("() => history.state.crop === null")
    assert visit.searches() == 2


def test_moving_the_box_cancels_the_search_under_way(visit: Visit) -> None:
    visit.choose(visit.shop.photo("Dresses"))
    failed: list[str] = []
    visit.page.on("requestfailed", lambda request: failed.append(request.failure or ""))
    visit.page.route("**/api/search-image", lambda route: None, times=1)  # never answered
    visit.page.locator("#crop").focus()
    visit.page.keyboard.press("Shift+ArrowLeft")
    visit.page.wait_for_function("() => window.sent.length === 2")
    visit.page.keyboard.press("Shift+ArrowLeft")
    wait_for_searches(visit, 3)
    assert failed == ["net::ERR_ABORTED"]


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
    expect(page.get_by_role("heading", name="Photograph a garment")).to_be_visible()


# ---- errors


def test_a_search_can_be_canceled_and_begun_again(visit: Visit) -> None:
    visit.page.route("**/api/search-image", lambda route: None, times=1)  # never answered
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


def test_a_server_that_is_gone_is_told_and_found_again(
    visits: Visits, shop: Shop, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(shop.photo("Sweaters").parent, photos / "item")
    count = len(list(photos.rglob("*.jpg")))
    visit = visits()
    visit.forgiven = ""  # any request may fail when the server dies; other tests check the console
    with serving(photos, tmp_path / "artifacts", count) as server:
        visit.page.goto(server.address, wait_until="networkidle")  # no request is still running
        server.stop()
        visit.page.set_input_files("#choose", shop.photo("Sweaters"))
        visit.page.wait_for_selector(".notice")
        assert "cannot be reached" in visit.notice()
    port = int(server.address.rsplit(":", 1)[1])
    with serving(photos, tmp_path / "artifacts", count, port):
        visit.page.get_by_role("button", name="Try again").click()
        visit.settled()


def test_offline_the_search_waits_for_the_connection(visit: Visit) -> None:
    visit.forgiven = "ERR_INTERNET_DISCONNECTED"
    visit.page.context.set_offline(True)
    visit.page.set_input_files("#choose", visit.shop.photo("Sweaters"))
    visit.page.wait_for_selector(".notice")
    assert "offline" in visit.notice()
    visit.page.context.set_offline(False)
    visit.settled()


def _refuse_as_busy(visit: Visit, times: int) -> None:
    visit.forgiven = "503"
    visit.page.route(
        "**/api/search-image",
        lambda route: route.fulfill(
            status=503,
            headers={"Retry-After": "1"},
            json={"error": {"code": "busy", "message": "too many"}},
        ),
        times=times,
    )


def test_a_busy_server_is_asked_once_more_before_the_shopper_hears_of_it(visit: Visit) -> None:
    _refuse_as_busy(visit, times=1)
    visit.choose(visit.shop.photo("Sweaters"))
    assert visit.searches() == 2
    expect(visit.page.locator(".notice")).to_have_count(0)


def test_a_server_that_stays_busy_is_told_kindly_and_may_be_tried_again(visit: Visit) -> None:
    _refuse_as_busy(visit, times=2)
    visit.page.set_input_files("#choose", visit.shop.photo("Sweaters"))
    visit.page.wait_for_selector(".notice")
    assert "Many people are searching right now" in visit.notice()
    visit.page.get_by_role("button", name="Try again").click()
    visit.settled()
    assert visit.searches() == 3


def test_a_search_that_waits_for_a_busy_server_can_be_canceled(visit: Visit) -> None:
    _refuse_as_busy(visit, times=1)
    visit.page.set_input_files("#choose", visit.shop.photo("Sweaters"))
    visit.page.wait_for_event("response", lambda reply: reply.status == 503)
    visit.page.get_by_role("button", name="Cancel").click()
    assert "canceled" in visit.notice()
    visit.page.wait_for_timeout(1_200)
    assert visit.searches() == 1


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
    assert sum(path.stat().st_size for path in frontend_folder().iterdir()) < 200 * KB
    assert sum(browser_bytes.values()) < 100 * KB, browser_bytes  # compressed
    files = {path.name for path in frontend_folder().iterdir() if path.suffix in {".css", ".js"}}
    assert {"/", *(f"/{name}" for name in files)} <= set(browser_bytes), "one is not linked"


def test_every_file_is_asked_for_at_once_and_not_when_another_names_it() -> None:
    asked = set(
        re.findall(r'href="/(.+?\.(?:css|js))"', (frontend_folder() / "index.html").read_text())
    )
    files = {path.name for path in frontend_folder().iterdir() if path.suffix in {".css", ".js"}}
    assert asked == files - {"lens-widget.js"}


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


def test_every_word_comes_from_the_file_of_strings() -> None:
    page = (frontend_folder() / "index.html").read_text().split("<body>")[1]
    page = re.sub(r"<noscript>.*?</noscript>", "", page)
    html = (frontend_folder() / "markup.js").read_text().split("`")[1]
    assert re.sub(r"<[^>]+>", "", page + html).split() == []
    words = (frontend_folder() / "strings.js").read_text()
    for name in re.findall(r'data-(?:words|label)="(\w+)"', html):
        assert re.search(rf"\b{name}:", words), f"{name} has no words"


def test_a_browser_marks_the_pages_own_requests_and_gets_paths(visit: Visit) -> None:
    told = visit.page.evaluate("fetch('/api/categories').then((reply) => reply.json())")
    photo = told["categories"][0]["photo"]
    assert photo["image_url"].startswith("/catalog/")
    assert photo["thumb_url"].startswith("/api/thumb/")

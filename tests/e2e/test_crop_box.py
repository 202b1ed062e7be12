"""The crop box: drawn, pulled and moved, and what is searched for without one."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.e2e.conftest import Visit, Visits, as_bytes, collage, standing, wait_for_searches

pytestmark = pytest.mark.slow


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
    assert Image.open(BytesIO(first)).size == (960, 600)
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
    expect(visit.page.locator("#status")).to_contain_text("Searched for: One-piece garment.")
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
    with standing(visit):
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
    with visit.page.expect_request("**/api/search-image"):
        visit.page.keyboard.press("Shift+ArrowLeft")
    visit.page.keyboard.press("Shift+ArrowLeft")
    wait_for_searches(visit, 3)
    assert failed == ["net::ERR_ABORTED"]

"""Pointing: which part of the photo is searched for, by mouse, touch and keyboard."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Route, expect

from tests.e2e.conftest import Visit, Visits, as_bytes, collage, wait_for_searches
from tests.e2e.fingers import Fingers, Point

pytestmark = pytest.mark.slow

PHONE, DESKTOP = 390, 1440
BOTH = pytest.mark.parametrize("width", [PHONE, DESKTOP])
FINGERTIP = 44  # pixels, as the platforms' guidelines have it


def shown(visits: Visits, width: int, photo: Any = None) -> Visit:
    """A page that shows two garments beside each other, with the results of the sweater."""
    visit = visits(width, touch=width == PHONE)
    visit.page.set_viewport_size({"width": width, "height": 844 if width == PHONE else 900})
    visit.choose(photo or collage(visit.shop)[0])
    return visit


def rect(place: Locator) -> FloatRect:
    found = place.bounding_box()
    assert found is not None
    return found


def on_photo(visit: Visit, x: float, y: float) -> Point:
    """A point of the photo, given as shares, as a point of the window."""
    stage = rect(visit.page.locator("#stage"))
    return stage["x"] + x * stage["width"], stage["y"] + y * stage["height"]


def touch(visit: Visit, x: float, y: float) -> None:
    """A click, or on a phone a tap, on this point of the photo."""
    point = on_photo(visit, x, y)
    if visit.page.evaluate("matchMedia('(pointer: coarse)').matches"):
        Fingers(visit.page).tap(point)
    else:
        visit.page.mouse.click(*point)


def box_of(visit: Visit) -> list[float]:
    """The box on the photo: x0, y0, x1, y1 as shares."""
    stage, box = rect(visit.page.locator("#stage")), rect(visit.page.locator(".shade"))
    x0, y0 = (box["x"] - stage["x"]) / stage["width"], (box["y"] - stage["y"]) / stage["height"]
    return [x0, y0, x0 + box["width"] / stage["width"], y0 + box["height"] / stage["height"]]


def asked(visit: Visit) -> list[float]:
    """The box that was asked for last."""
    region = visit.regions()[-1]
    assert region is not None
    return [float(number) for number in region.split(",")]


def garments(visit: Visit) -> Locator:
    return visit.page.get_by_role("group", name="Garments in the photo").get_by_role("button")


def sweater(visit: Visit) -> Locator:
    return visit.page.get_by_role("button", name="Upper garment, 1 of 2")


def dress(visit: Visit) -> Locator:
    return visit.page.get_by_role("button", name="One-piece garment, 2 of 2")


# ---- the garments that were seen


@BOTH
def test_the_best_garment_is_chosen_at_once_and_a_tap_shows_the_products_of_another(
    visits: Visits, width: int
) -> None:
    visit = shown(visits, width)
    expect(garments(visit)).to_have_count(2)
    expect(sweater(visit)).to_have_attribute("aria-pressed", "true")
    first = visit.items()
    held: list[Route] = []
    visit.page.route("**/api/search-image", lambda route: held.append(route))
    touch(visit, 0.75, 0.5)
    visit.page.wait_for_selector("#results[aria-busy=true]")
    expect(garments(visit)).to_have_count(2)
    expect(dress(visit)).to_have_attribute("aria-pressed", "true")
    visit.page.wait_for_timeout(50)
    held[0].continue_()
    wait_for_searches(visit, 2)
    assert visit.items()[0] == visit.shop.photo("Dresses").parent.name
    assert asked(visit) == pytest.approx(box_of(visit), abs=0.01)
    expect(visit.page.locator("#status")).to_contain_text("found")
    touch(visit, 0.25, 0.5)
    expect(sweater(visit)).to_have_attribute("aria-pressed", "true")
    visit.settled()
    assert visit.items() == first
    assert visit.searches() == 2, "what was found is still there"


@BOTH
def test_back_and_forward_go_through_the_garments_with_one_step_for_a_photo(
    visits: Visits, width: int
) -> None:
    visit = shown(visits, width)
    touch(visit, 0.75, 0.5)
    wait_for_searches(visit, 2)
    touch(visit, 0.5, 0.04)
    wait_for_searches(visit, 3)
    other = visit.items()
    visit.page.go_back()
    expect(sweater(visit)).to_have_attribute("aria-pressed", "true")
    expect(garments(visit)).to_have_count(2)
    visit.page.go_forward()
    expect(visit.page.locator("#stage")).to_have_class("cropped own")
    visit.settled()
    assert visit.items() == other
    visit.page.go_back()
    visit.page.go_back()
    expect(visit.page.get_by_role("heading", name="Photograph a garment")).to_be_visible()
    assert visit.searches() == 3


def test_a_box_that_is_moved_and_put_back_is_no_step_back(visits: Visits) -> None:
    visit = shown(visits, DESKTOP)
    steps = visit.page.evaluate("history.length")
    visit.page.locator("#crop").focus()
    visit.page.keyboard.press("ArrowRight")
    visit.page.keyboard.press("ArrowLeft")
    visit.settled()
    expect(sweater(visit)).to_have_attribute("aria-pressed", "true")
    assert visit.page.evaluate("history.length") == steps
    assert visit.searches() == 1


@BOTH
def test_a_tap_anywhere_else_makes_a_box_around_the_point(visits: Visits, width: int) -> None:
    visit = shown(visits, width)
    touch(visit, 0.52, 0.3)
    wait_for_searches(visit, 2)
    assert asked(visit) == pytest.approx([0.38, 0.075, 0.66, 0.525], abs=0.01)
    assert box_of(visit) == pytest.approx(asked(visit), abs=0.01)
    expect(garments(visit).and_(visit.page.locator("[aria-pressed=true]"))).to_have_count(0)
    touch(visit, 0.52, 0.02)  # the box stays within the photo
    wait_for_searches(visit, 3)
    assert asked(visit) == pytest.approx([0.38, 0, 0.66, 0.45], abs=0.01)
    touch(visit, 0.55, 0.2)
    visit.page.wait_for_timeout(400)
    assert visit.searches() == 3, "a tap on a small box is no other box"


def test_a_tap_on_a_small_garment_that_is_not_sure_takes_its_box(visits: Visits) -> None:
    def answer(route: Route) -> None:
        reply = route.fetch()
        found = reply.json()
        found["regions"].append({"box": [0.5, 0, 0.6, 0.2], "confidence": 0.12, "kind": "hat"})
        route.fulfill(response=reply, json=found)

    visit = visits()
    visit.page.route("**/api/search-image", answer)
    visit.choose(collage(visit.shop)[0])
    expect(garments(visit)).to_have_count(2)
    touch(visit, 0.52, 0.04)
    wait_for_searches(visit, 2)
    assert asked(visit) == [0.5, 0, 0.6, 0.2]


def test_a_garment_is_outlined_before_it_is_chosen(visits: Visits) -> None:
    visit = shown(visits, DESKTOP)
    frame = visit.page.locator(".frame")
    expect(frame).to_be_hidden()
    dress(visit).hover()
    expect(frame).to_be_visible()
    outlined = rect(frame)
    dress(visit).click()
    wait_for_searches(visit, 2)
    assert rect(visit.page.locator(".shade")) == pytest.approx(outlined, abs=1)


@BOTH
def test_garments_and_box_are_chosen_with_the_keyboard(visits: Visits, width: int) -> None:
    visit = shown(visits, width)
    keyboard = visit.page.keyboard
    visit.page.locator("#photo-title").focus()
    keyboard.press("Tab")
    expect(visit.page.get_by_role("application", name="Crop box")).to_be_focused()
    keyboard.press("Tab")
    expect(sweater(visit)).to_be_focused()
    keyboard.press("Tab")
    expect(dress(visit)).to_be_focused()
    keyboard.press("Enter")
    wait_for_searches(visit, 2)
    expect(dress(visit)).to_be_focused()
    expect(dress(visit)).to_have_attribute("aria-pressed", "true")
    before = asked(visit)
    visit.page.locator("#crop").focus()
    keyboard.press("ArrowLeft")
    keyboard.press("Shift+ArrowUp")
    wait_for_searches(visit, 3)
    x0, y0, x1, y1 = before
    assert asked(visit) == pytest.approx([x0 - 0.02, y0, x1 - 0.02, y1 - 0.02], abs=1e-4)
    expect(garments(visit).and_(visit.page.locator("[aria-pressed=true]"))).to_have_count(0)
    dress(visit).focus()
    keyboard.press("Escape")
    wait_for_searches(visit, 4)
    assert visit.regions()[-1] == "whole"


# ---- drawing


def test_a_finger_that_sets_off_sideways_or_aslant_draws_and_nothing_scrolls(
    visits: Visits,
) -> None:
    visit = shown(visits, PHONE)
    for count, end in ((2, (0.5, 0.3)), (4, (0.4, 0.9))):
        Fingers(visit.page).swipe(on_photo(visit, 0.1, 0.2), on_photo(visit, *end))
        wait_for_searches(visit, count)
        assert asked(visit) == pytest.approx([0.1, 0.2, *end], abs=0.03)
        visit.page.get_by_role("button", name="Whole photo").click()
        visit.page.wait_for_function("() => history.state.crop === 'whole'")
        visit.settled()
    assert visit.page.evaluate("scrollY") == 0


def test_a_finger_that_sets_off_upward_scrolls_the_page_and_searches_nothing(
    visits: Visits,
) -> None:
    visit = shown(visits, PHONE)
    box = box_of(visit)
    for x in (0.25, 0.52):  # on the box and beside it; a thumb's swipe leans a little
        begin = on_photo(visit, x, 0.9)
        Fingers(visit.page).swipe(begin, (begin[0] + 40, begin[1] - 150))
        visit.page.wait_for_function("() => scrollY > 50")
        visit.page.evaluate("scrollTo(0, 0)")
        visit.page.wait_for_timeout(400)
    assert visit.searches() == 1
    assert box_of(visit) == pytest.approx(box)


def test_a_finger_that_is_held_first_draws_upward_too(visits: Visits) -> None:
    visit = shown(visits, PHONE)
    Fingers(visit.page).swipe(on_photo(visit, 0.3, 0.9), on_photo(visit, 0.35, 0.3), held=0.3)
    wait_for_searches(visit, 2)
    assert asked(visit) == pytest.approx([0.3, 0.3, 0.4, 0.9], abs=0.03)
    assert visit.page.evaluate("scrollY") == 0


def test_a_drawing_may_begin_on_a_dot_and_chooses_nothing_else(visits: Visits) -> None:
    visit = shown(visits, PHONE)
    dot = rect(dress(visit))
    begin = (dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    Fingers(visit.page).swipe(begin, (begin[0] - 120, begin[1] + 60))
    wait_for_searches(visit, 2)
    visit.page.wait_for_timeout(400)
    assert visit.searches() == 2
    expect(dress(visit)).to_have_attribute("aria-pressed", "false")


def test_the_mouse_draws_inside_a_garments_box_too_and_moves_a_box_of_its_own(
    visits: Visits,
) -> None:
    visit = shown(visits, DESKTOP)
    mouse = visit.page.mouse

    def drag(begin: Point, end: Point) -> None:
        mouse.move(*on_photo(visit, *begin))
        mouse.down()
        mouse.move(*on_photo(visit, *end), steps=5)
        mouse.up()

    drag((0.1, 0.3), (0.4, 0.6))
    wait_for_searches(visit, 2)
    assert asked(visit) == pytest.approx([0.1, 0.3, 0.4, 0.6], abs=0.01)
    drag((0.2, 0.45), (0.4, 0.55))
    wait_for_searches(visit, 3)
    assert asked(visit) == pytest.approx([0.3, 0.4, 0.6, 0.7], abs=0.01)


def test_two_fingers_change_the_box_and_neither_zoom_nor_scroll_the_page(visits: Visits) -> None:
    visit = shown(visits, PHONE)
    touch(visit, 0.52, 0.5)
    wait_for_searches(visit, 2)
    x0, y0, x1, y1 = asked(visit)
    width, height = x1 - x0, y1 - y0
    apart = (on_photo(visit, 0.47, 0.5), on_photo(visit, 0.57, 0.5))
    wider = (on_photo(visit, 0.445, 0.4), on_photo(visit, 0.595, 0.4))
    Fingers(visit.page).pinch(apart, wider)
    wait_for_searches(visit, 3)
    x0, y0, x1, y1 = asked(visit)
    assert (x1 - x0, y1 - y0) == pytest.approx((1.5 * width, 1.5 * height), abs=0.02)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((0.52, 0.4), abs=0.02)
    assert visit.page.evaluate("[visualViewport.scale, scrollY]") == [1, 0]
    visit.page.get_by_role("button", name="Whole photo").click()
    wait_for_searches(visit, 4)
    Fingers(visit.page).pinch(
        (on_photo(visit, 0.1, 0.5), on_photo(visit, 0.9, 0.5)),
        (on_photo(visit, 0.3, 0.5), on_photo(visit, 0.7, 0.5)),
    )
    wait_for_searches(visit, 5)
    assert asked(visit) == pytest.approx([0.25, 0.25, 0.75, 0.75], abs=0.02)


# ---- sizes


def test_dots_and_handles_have_a_fingertips_size(visits: Visits) -> None:
    visit = shown(visits, PHONE)
    for handle in visit.page.locator("#crop [data-edge]").all():
        assert min(rect(handle)["width"], rect(handle)["height"]) >= FINGERTIP
    for dot in garments(visit).all():
        assert min(rect(dot)["width"], rect(dot)["height"]) >= FINGERTIP


@pytest.mark.parametrize("size", [(900, 1200), (1200, 900), (1080, 1920)])
def test_the_first_products_are_in_sight_on_a_phone(visits: Visits, size: tuple[int, int]) -> None:
    visit = visits(PHONE, touch=True)
    visit.page.set_viewport_size({"width": PHONE, "height": 844})
    out = BytesIO()
    Image.open(visit.shop.photo("Dresses")).resize(size).save(out, "JPEG")
    visit.choose({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()})
    visit.page.wait_for_timeout(100)
    assert visit.page.evaluate("scrollY") == 0
    assert rect(visit.page.locator(".card").first)["y"] <= 844 - 120


@pytest.mark.parametrize("scheme", ["light", "dark"])
@BOTH
def test_axe_finds_nothing_serious_in_a_photo_of_several_garments(
    visits: Visits, width: int, scheme: str
) -> None:
    visit = visits(width, touch=width == PHONE, color_scheme=scheme, reduced_motion="reduce")
    visit.choose(collage(visit.shop)[0])
    visit.page.wait_for_timeout(250)
    found = Axe().run(visit.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


# ---- the box


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

"""Pointing: which part of the photo is searched for, by mouse, touch and keyboard."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Route, expect

from tests.e2e.conftest import Visit, Visits, collage, wait_for_searches
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

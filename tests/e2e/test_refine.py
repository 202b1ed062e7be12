"""Refining the results in a real Chromium: facets, order, examples, and page after page."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Shop, Visit, Visits
from tests.e2e.serving import serving
from tests.e2e.stocked_shop import BRANDS, PRODUCTS, stock, write_photo

pytestmark = pytest.mark.slow

PAGE = 24


@pytest.fixture(scope="module")
def shop(stocked: Shop) -> Shop:
    return stocked


@pytest.fixture
def searched(visit: Visit) -> Visit:
    """A page with the results of a photo."""
    visit.choose(photo_of(visit.shop, 0))
    return visit


# What is kept on the device is deleted, as a browser does that is asked to.
FORGOTTEN = """new Promise((done) => {
  indexedDB.deleteDatabase("image-lens").onsuccess = done;
})"""


def photo_of(shop: Shop, number: int, view: str = "1_front") -> Path:
    return next(shop.folder.rglob(f"P{number:03}/{view}.jpg"))


def after(visit: Visit, act: Callable[[], Any]) -> None:
    """Do something that searches, and wait for its results."""
    before = visit.searches()
    act()
    visit.page.wait_for_function("(count) => window.sent.length > count", arg=before)
    visit.page.wait_for_selector("#results:not(.stale)[aria-busy=false]")


def menu(visit: Visit, name: str) -> Locator:
    return visit.page.locator("#refine").get_by_role("button", name=name)


def option(visit: Visit, name: str) -> Locator:
    return visit.page.locator("#filters .option", has_text=name).locator("input")


def chips(visit: Visit) -> list[str]:
    """What is asked for, each with a button that takes it off."""
    found = visit.page.locator("#asked button:not(.plain)").all_inner_texts()
    return [" ".join(each.split()) for each in found]


def below_names(visit: Visit) -> set[str]:
    """Brand and color of every card."""
    return set(visit.page.locator(".card .category").all_inner_texts())


def prices(visit: Visit) -> list[float]:
    """What a shopper pays, card by card."""
    found = visit.page.locator(".card .price").evaluate_all(
        "all => all.map((one) => (one.querySelector('b') ?? one.firstChild).textContent)"
    )
    return [float(price.removeprefix("€")) for price in found]


def scroll_to_the_end(page: Page) -> None:
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")


# ---- facets


def test_several_values_of_a_facet_are_any_of_them_and_each_can_be_taken_off(
    searched: Visit,
) -> None:
    everything = searched.items()
    menu(searched, "Color").click()
    after(searched, lambda: option(searched, "Navy").check())
    after(searched, lambda: option(searched, "Light Blue").check())
    expect(option(searched, "Light Blue")).to_be_focused()
    assert searched.asked()["filter"] == ['color="Navy"|"Light Blue"']
    done = searched.page.locator("#filters .done")
    expect(done).to_have_text("Show 44 products")
    done.click()
    # The photos show all colors; a product is shown in the first one that is asked for.
    assert {name.rsplit(" · ", 1)[1] for name in below_names(searched)} == {"Navy"}
    expect(menu(searched, "Color: 2")).to_be_visible()
    assert chips(searched) == ["Navy", "Light Blue"]
    searched.page.get_by_role("button", name="Navy. Take it off").click()
    searched.page.wait_for_selector("#results:not(.stale)[aria-busy=false]")
    left = searched.page.get_by_role("button", name="Light Blue. Take it off")
    expect(left).to_be_focused()
    assert {name.rsplit(" · ", 1)[1] for name in below_names(searched)} == {"Light Blue"}
    left.click()
    searched.settled()
    assert chips(searched) == []
    assert searched.items() == everything


@pytest.mark.parametrize("brand", BRANDS)
def test_a_brand_is_found_whatever_signs_its_name_has(searched: Visit, brand: str) -> None:
    menu(searched, "Brand").click()
    after(searched, lambda: option(searched, brand).check())
    searched.page.locator("#filters .done").click()
    assert {name.rsplit(" · ", 1)[0] for name in below_names(searched)} == {brand}


def test_facets_narrow_together_and_all_are_cleared_at_once(searched: Visit) -> None:
    everything = searched.items()
    menu(searched, "Filters").click()
    after(searched, lambda: option(searched, "Dresses").check())
    after(searched, lambda: option(searched, "In stock").check())
    after(searched, lambda: option(searched, "Red").check())
    fields = searched.page.locator("#filters input[type=number]")
    fields.nth(0).fill("80")
    fields.nth(1).fill("40.5")
    after(searched, lambda: fields.nth(1).press("Enter"))
    asked = searched.asked()
    assert asked["category"] == ["Dresses"]
    assert asked["filter"] == ['color="Red";price=40.5 EUR..80 EUR;availability=in_stock']
    searched.page.locator("#filters .done").click()
    assert all(40.5 <= price <= 80 for price in prices(searched))
    assert set(chips(searched)) == {"Red", "In stock", "€40.50 – €80"}
    assert searched.page.locator(".card.gone").count() == 0
    searched.page.get_by_role("button", name="Clear all").click()
    searched.settled()
    assert searched.items() == everything
    searched.page.go_back()
    assert set(chips(searched)) == {"Red", "In stock", "€40.50 – €80"}
    searched.page.go_back()
    searched.settled()
    assert chips(searched) == [], "what is chosen in the sheet at one time is one step"


def test_other_values_of_a_facet_are_counted_although_one_is_asked_for(searched: Visit) -> None:
    menu(searched, "In stock").click()
    searched.page.wait_for_selector("#results[aria-busy=false]")
    menu(searched, "Color").click()
    after(searched, lambda: option(searched, "Navy").check())
    after(
        searched,
        lambda: searched.page.get_by_role("checkbox", name=re.compile("^S ?[0-9]")).check(),
    )
    searched.page.locator("#filters .done").click()
    after(searched, lambda: menu(searched, "Navy").click())
    red = searched.page.locator("#filters .option", has_text="Red").locator(".count")
    expect(red).to_have_text("55")


def test_the_order_is_by_price_or_by_likeness(searched: Visit) -> None:
    likest = searched.items()
    order = searched.page.get_by_role("combobox", name="Sort by")
    after(searched, lambda: order.select_option("price"))
    assert prices(searched) == sorted(prices(searched))
    assert searched.page.locator(".card.best").count() == 0
    after(searched, lambda: order.select_option("-price"))
    assert prices(searched) == sorted(prices(searched), reverse=True)
    order.select_option("similarity")
    searched.settled()
    assert searched.items() == likest


def test_where_nothing_is_found_the_filter_to_take_off_is_named(searched: Visit) -> None:
    menu(searched, "Brand").click()
    after(searched, lambda: option(searched, "東京").check())
    fields = searched.page.locator("#filters input[type=number]")
    fields.nth(0).fill("5000")
    after(searched, lambda: fields.nth(0).press("Enter"))
    searched.page.locator("#filters .done").click()
    notice = searched.page.locator(".notice")
    expect(notice).to_contain_text("Nothing with the filter “From €5,000”")
    expect(notice).to_contain_text("Without it there are 16 products.")
    searched.page.get_by_role("button", name="Take off “From €5,000”").click()
    searched.settled()
    assert chips(searched) == ["東京"]


# ---- examples


def test_more_and_less_like_a_product_are_asked_beside_the_photo(searched: Visit) -> None:
    page = searched.page
    liked, unliked = searched.items()[1:3]
    card = page.locator(".card").nth(1)
    card.hover()
    after(searched, card.get_by_role("button", name="More like this").click)
    expect(page.locator("#results-title")).to_be_focused()
    assert liked not in searched.items()
    page.locator(f'.card[data-item="{unliked}"] .open').click()
    after(searched, page.get_by_role("dialog").get_by_role("button", name="Less like this").click)
    expect(page.get_by_role("dialog")).to_be_hidden()
    asked = searched.asked()
    assert len(asked["like"]) == 1
    assert asked["unlike"] == [unliked]
    first, *_, last = searched.sent()
    assert first == last, "the photo is still what is searched with"
    assert not {liked, unliked} & set(searched.items())
    kinds = [chip.split(" ")[0] for chip in chips(searched)]
    assert kinds == ["More", "Less"]
    page.locator("#asked .like").click()
    searched.page.wait_for_selector("#results:not(.stale)[aria-busy=false]")
    assert len(chips(searched)) == 1
    page.go_back()
    assert len(chips(searched)) == 2


def test_examples_go_with_a_part_of_the_photo(searched: Visit) -> None:
    searched.page.locator("#crop").focus()
    after(searched, lambda: searched.page.keyboard.press("Shift+ArrowUp"))
    searched.page.locator(".card").nth(1).hover()
    after(searched, searched.page.locator(".card .more").nth(1).click)
    assert searched.regions()[-1] == searched.regions()[-2] != None  # noqa: E711
    assert len(searched.asked()["like"]) == 1
    searched.settled()


def test_what_was_liked_is_searched_for_alone_once_the_photo_is_gone(searched: Visit) -> None:
    page = searched.page
    page.locator(".card").nth(2).hover()
    after(searched, page.locator(".card .more").nth(2).click)
    page.evaluate(FORGOTTEN)
    page.reload()
    searched.settled()
    expect(page.locator("#stage")).to_be_hidden()
    assert page.evaluate("window.sent") == [None]
    assert len(searched.items()) == PAGE - 1, "what is liked is not found again"
    page.locator("#asked .like").click()
    expect(page.get_by_role("heading", name="Photograph a garment")).to_be_visible()


def test_no_more_than_ten_products_are_compared_with(searched: Visit) -> None:
    page = searched.page
    for _ in range(10):
        page.locator(".card .open").nth(1).click()
        after(searched, page.get_by_role("dialog").get_by_role("button", name="More like").click)
        searched.settled()
    assert len(chips(searched)) == 10
    searches = searched.searches()
    page.locator(".card").nth(1).hover()
    page.locator(".card .more").nth(1).click()
    assert "as many as can be compared" in searched.notice()
    assert searched.searches() == searches


# ---- page after page


def test_scrolling_shows_every_product_once_and_says_when_that_is_all(searched: Visit) -> None:
    page = searched.page
    assert len(searched.items()) == PAGE
    expect(page.locator("#results-title")).to_have_text("This very photo is in the catalog")
    while page.locator("#end button").is_visible():
        shown = len(searched.items())
        scroll_to_the_end(page)
        page.wait_for_function(
            """(shown) => {
              const root = document.querySelector("image-lens").shadowRoot;
              const cards = root.querySelectorAll(".card").length;
              return cards > shown || root.querySelector("#end button").hidden;
            }""",
            arg=shown,
        )
    items = searched.items()
    assert len(items) == len(set(items)) == PRODUCTS
    expect(page.locator("#end p")).to_have_text(f"That is all: {PRODUCTS} products.")
    expect(page.locator("#status")).to_contain_text(f"{PRODUCTS} in all")
    expect(page.locator("#hits")).to_have_attribute("aria-busy", "false")


def test_scrolling_goes_on_where_a_busy_browser_tells_two_looks_at_once(visit: Visit) -> None:
    page = visit.page
    page.evaluate(
        """() => {
          const real = IntersectionObserver;
          window.IntersectionObserver = class extends real {
            constructor(hear, options) {
              super((looks) => hear([{ isIntersecting: false }, ...looks]), options);
            }
          };
        }"""
    )
    visit.choose(photo_of(visit.shop, 0))
    scroll_to_the_end(page)
    expect(page.locator(".card")).to_have_count(2 * PAGE)


def test_the_keyboard_goes_on_with_the_first_product_of_the_next_page(visits: Visits) -> None:
    visit = visits(1280)
    # A browser without the observer has the button alone.
    visit.page.evaluate("IntersectionObserver.prototype.observe = () => {}")
    visit.choose(photo_of(visit.shop, 0))
    button = visit.page.get_by_role("button", name="Show more products")
    button.focus()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".card").nth(PAGE).locator(".open")).to_be_focused()
    expect(visit.page.locator("#status")).to_have_text("24 more products, 48 in all.")


def test_a_page_that_fails_keeps_what_is_shown_and_can_be_asked_for_again(visit: Visit) -> None:
    visit.forgiven = "500"
    visit.page.evaluate("IntersectionObserver.prototype.observe = () => {}")
    visit.choose(photo_of(visit.shop, 0))
    visit.page.route(
        "**/api/search-image",
        lambda route: route.fulfill(status=500, json={"error": {"code": "internal_error"}}),
        times=1,
    )
    button = visit.page.locator("#end button")
    button.click()
    expect(button).to_have_text("That did not work. Try again")
    assert len(visit.items()) == PAGE
    button.click()
    expect(visit.page.locator(".card")).to_have_count(2 * PAGE)


def test_back_finds_the_pages_that_were_shown_and_the_place_on_them(searched: Visit) -> None:
    page = searched.page
    scroll_to_the_end(page)
    expect(page.locator(".card")).to_have_count(2 * PAGE)
    page.locator(".card").nth(PAGE + 4).scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    items, place = searched.items(), page.evaluate("scrollY")
    page.locator(".card .open").nth(PAGE + 4).click()
    dialog = page.get_by_role("dialog")
    after(searched, dialog.get_by_role("button", name="Search with this photo").click)
    searched.settled()
    page.go_back()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert searched.items()[: len(items)] == items
    assert page.evaluate("scrollY") == pytest.approx(place, abs=60)


def test_a_catalog_that_changes_meanwhile_loses_and_repeats_nothing(
    visits: Visits, shop: Shop, tmp_path: Path
) -> None:
    folder, drawn = tmp_path / "photos", tmp_path / "drawn"
    count = stock(folder, drawn)
    with serving(folder, tmp_path / "artifacts", count) as server:
        visit = visits()
        visit.forgiven = "410|ERR_"  # the server is killed before the page is left
        page = visit.page
        page.goto(server.address)
        page.evaluate("IntersectionObserver.prototype.observe = () => {}")
        visit.choose(photo_of(shop, 0))
        first = visit.items()
        commit = commit_of(page)
        new = f"P{PRODUCTS:03}"
        write_photo(folder, drawn, PRODUCTS, "1_front", back=False)
        deadline = time.monotonic() + 60
        while commit_of(page) == commit:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        button = page.locator("#end button")
        while button.is_visible():
            shown = len(visit.items())
            button.click()
            page.wait_for_function(
                """(shown) => {
                  const root = document.querySelector("image-lens").shadowRoot;
                  const end = root.querySelector("#end button");
                  return root.querySelectorAll(".card").length > shown || end.hidden;
                }""",
                arg=shown,
            )
        items = visit.items()
        assert items[:PAGE] == first
        assert len(items) == len(set(items)) == PRODUCTS + 1
        assert any(item.endswith(new) for item in items)
        assert page.locator(".notice").count() == 0
        shutil.rmtree(drawn)


def commit_of(page: Page) -> int:
    told = page.evaluate("fetch('/api/health').then((reply) => reply.json())")
    return int(told["gallery"]["commit"])


# ---- what fits


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {[node['html'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_fits_and_axe_finds_nothing_serious(visits: Visits, width: int, scheme: str) -> None:
    visit = visits(width, touch=width < 600, color_scheme=scheme, reduced_motion="reduce")
    page = visit.page

    def fine() -> None:
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == []

    press = "tap" if width < 600 else "click"
    visit.choose(photo_of(visit.shop, 0))
    getattr(menu(visit, "Filters"), press)()
    fine()
    after(visit, lambda: option(visit, "Navy").check())
    fine()
    getattr(page.locator("#filters .done"), press)()
    page.locator(".card .open").nth(1).click()
    after(visit, lambda: getattr(page.locator("#viewer .less"), press)())
    visit.settled()
    assert [re.sub(r"like .*", "like", chip) for chip in chips(visit)] == ["Less like", "Navy"]
    fine()
    page.locator(".card .open").nth(1).click()
    fine()

"""What the page says of a match, and of a server that cannot answer now."""

from __future__ import annotations

import shutil
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.conftest import Shop, Visit, Visits, collage, standing, wait_for_searches
from tests.e2e.serving import serving

pytestmark = pytest.mark.slow

SEARCH = "**/api/search-image"
HTML = "<html><body><h1>The server is not available</h1></body></html>"
NGINX: dict[str, Any] = {"status": 502, "content_type": "text/html", "body": HTML}
TRIES = 4


def refuse(visit: Visit, times: int | None, path: str = SEARCH, **answer: Any) -> None:
    """The next `times` requests get this answer; None: all."""
    visit.forgiven = "Failed to load resource"
    if times is None:
        visit.page.route(path, lambda route: route.fulfill(**answer))
    elif times:
        visit.page.route(path, lambda route: route.fulfill(**answer), times=times)


def begin(visit: Visit) -> None:
    """Choose a photo, and wait for nothing."""
    visit.page.set_input_files("#choose", visit.shop.photo("Sweaters"))


def go_offline(visit: Visit) -> None:
    """Once all parts of the page are there: what is on its way may hang until the end."""
    visit.page.wait_for_load_state("networkidle")
    visit.page.context.set_offline(True)


def sent(visit: Visit, count: int) -> None:
    """Wait until so many searches were sent."""
    visit.page.wait_for_function("(count) => window.sent.length === count", arg=count)


def title(visit: Visit) -> Locator:
    return visit.page.locator("#results-title")


def frozen(visit: Visit, random: float) -> None:
    """From now on the page's time stands still until it is told to run, and chance is this."""
    visit.page.evaluate("(value) => (Math.random = () => value)", random)
    visit.page.clock.install()
    visit.page.clock.pause_at(time.time() + 10)


# ---- what is said of a match


@pytest.mark.parametrize(
    ("match", "heading"),
    [
        ("same", "Most likely the same"),
        ("very_similar", "Very similar"),
        ("similar_style", "Similar style"),
        ("none", "Nothing like this here. The nearest:"),
    ],
)
def test_the_heading_says_how_like_the_photo_the_first_product_is(
    visit: Visit, match: str, heading: str
) -> None:
    def answer(route: Route) -> None:
        reply = route.fetch()
        found = reply.json() | {"match": match}
        found["hits"] = [{**hit, "exact": False, "match": match} for hit in found["hits"]]
        route.fulfill(response=reply, json=found)

    visit.page.route(SEARCH, answer)
    visit.choose(collage(visit.shop)[0])
    expect(title(visit)).to_have_text(heading)
    expect(visit.page.locator("#status")).to_contain_text(heading.split(" The nearest")[0])


# ---- a server that is busy


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            {"status": 503, "json": {"error": {"code": "busy", "message": "too many"}}}, id="ours"
        ),
        pytest.param({"status": 503, "json": {"message": "Service Unavailable"}}, id="API Gateway"),
        pytest.param({"status": 504, "json": {"message": "Endpoint request timed out"}}, id="slow"),
        pytest.param({"status": 429, "json": {"message": "Too Many Requests"}}, id="throttled"),
        pytest.param({"status": 503, "content_type": "text/html", "body": HTML}, id="CloudFront"),
        pytest.param({"status": 403, "content_type": "text/html", "body": HTML}, id="firewall"),
        pytest.param(NGINX, id="nginx"),
        pytest.param({"status": 503, "body": ""}, id="nothing"),
    ],
)
def test_busy_is_told_at_once_and_tried_again_whoever_says_so(
    visit: Visit, answer: dict[str, Any]
) -> None:
    refuse(visit, 1, **answer)
    with standing(visit):
        begin(visit)
        expect(title(visit)).to_have_text("Busy. Once more in a moment …")
        expect(visit.page.locator("#status")).to_have_text("Busy. Once more in a moment …")
    wait_for_searches(visit, 2)
    expect(title(visit)).to_have_text("This very photo is in the catalog")
    expect(visit.page.locator(".notice")).to_have_count(0)


def test_a_server_that_limits_the_rate_is_asked_again_when_it_said(
    visits: Visits, shop: Shop, tmp_path: Path
) -> None:
    with serving(shop.folder, shop.folder.parent / "artifacts", 1, LENS_RATE="6") as server:
        visit = visits()
        visit.forgiven = "429"
        visit.page.goto(server.address, wait_until="networkidle")
        while httpx.get(f"{server.address}/api/categories").status_code != 429:
            pass
        with standing(visit):
            begin(visit)
            expect(title(visit)).to_have_text("Busy. Once more in a moment …")
        visit.page.wait_for_function("() => window.sent.length === 2")
        visit.settled()
        visit.page.goto("about:blank")


def test_a_server_that_stays_busy_is_asked_four_times_and_then_by_a_button(visit: Visit) -> None:
    refuse(visit, TRIES, **NGINX)
    frozen(visit, random=0.99)
    begin(visit)
    for tries in range(1, TRIES):
        sent(visit, tries)
        expect(title(visit)).to_contain_text("Once more in a moment")
        visit.page.clock.run_for(1_500 * 2 ** (tries - 1))
    sent(visit, TRIES)
    visit.page.wait_for_selector(".notice")
    assert "Many people are searching right now" in visit.notice()
    visit.page.clock.run_for(60_000)
    assert visit.searches() == TRIES
    visit.page.clock.resume()
    visit.page.get_by_role("button", name="Try again").click()
    visit.settled()


@pytest.mark.parametrize(("random", "least", "most"), [(0.0, 400, 500), (0.98, 1_400, 1_500)])
def test_a_pause_is_longer_or_shorter_by_chance(
    visit: Visit, random: float, least: int, most: int
) -> None:
    """Or all that were refused at once would come back at once."""
    refuse(visit, 1, **NGINX)
    frozen(visit, random)
    begin(visit)
    expect(title(visit)).to_contain_text("Once more in a moment")
    visit.page.clock.run_for(least)
    assert visit.searches() == 1
    visit.page.clock.run_for(most - least)
    sent(visit, 2)


@pytest.mark.parametrize("dated", [False, True])
def test_a_pause_is_as_long_as_the_server_says(visit: Visit, dated: bool) -> None:
    frozen(visit, random=0)
    now: int = visit.page.evaluate("Date.now()")
    after = formatdate(now / 1_000 + 20, usegmt=True) if dated else "20"
    refuse(visit, 1, **NGINX, headers={"Retry-After": after})
    begin(visit)
    expect(title(visit)).to_contain_text("Once more in a moment")
    visit.page.clock.run_for(18_500)
    assert visit.searches() == 1
    visit.page.clock.run_for(2_000)
    sent(visit, 2)


def test_a_pause_of_minutes_is_left_to_the_shopper(visit: Visit) -> None:
    refuse(visit, 1, **NGINX, headers={"Retry-After": "120"})
    begin(visit)
    visit.page.wait_for_selector(".notice")
    assert "try again in a moment" in visit.notice()
    assert visit.searches() == 1
    visit.page.get_by_role("button", name="Try again").click()
    visit.settled()


def test_a_search_that_waits_can_be_canceled_and_begun_again(visit: Visit) -> None:
    refuse(visit, 1, **NGINX)
    frozen(visit, random=0)
    begin(visit)
    expect(title(visit)).to_contain_text("Once more in a moment")
    visit.page.get_by_role("button", name="Cancel").click()
    assert "canceled" in visit.notice()
    visit.page.clock.run_for(60_000)
    assert visit.searches() == 1
    visit.page.clock.resume()
    visit.page.get_by_role("button", name="Search again").click()
    visit.settled()


def test_a_failure_names_in_small_what_the_log_has_it_under_and_a_shoppers_own_slip_does_not(
    visit: Visit,
) -> None:
    told = {
        "code": "internal_error",
        "message": "something failed",
        "request_id": "4f0c2d9a6b1e8357",
    }
    refuse(visit, 1, status=500, json={"error": told})
    begin(visit)
    expect(visit.page.locator(".notice .reference")).to_have_text("Reference: 4f0c2d9a6b1e8357")
    visit.page.get_by_role("button", name="Try again").click()
    visit.settled()
    refuse(visit, 1, status=400, json={"error": told | {"code": "broken_image"}})
    begin(visit)
    expect(visit.page.locator(".notice .what")).to_have_text("That photo is damaged")
    expect(visit.page.locator(".notice .reference")).to_be_hidden()


def test_a_failure_that_is_no_busyness_is_told_and_not_tried_again(visit: Visit) -> None:
    refuse(visit, None, status=500, json={"message": "Internal Server Error"})
    begin(visit)
    visit.page.wait_for_selector(".notice")
    assert "Something went wrong here" in visit.notice()
    visit.page.wait_for_timeout(2_000)
    assert visit.searches() == 1


def test_a_network_that_wants_a_login_first_is_told_as_one(visit: Visit) -> None:
    refuse(visit, 1, status=200, content_type="text/html", body="<h1>Welcome to our Wi-Fi</h1>")
    begin(visit)
    visit.page.wait_for_selector(".notice")
    assert "The catalog cannot be reached" in visit.notice()


def test_a_connection_that_breaks_is_told_and_tried_again(visit: Visit) -> None:
    visit.forgiven = "ERR_CONNECTION_RESET"
    visit.page.route(SEARCH, lambda route: route.abort("connectionreset"), times=1)
    with standing(visit):
        begin(visit)
        expect(title(visit)).to_have_text("Out of reach. Once more in a moment …")
    wait_for_searches(visit, 2)


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
        with standing(visit):
            begin(visit)
            expect(title(visit)).to_contain_text("Out of reach")
        visit.page.wait_for_selector(".notice")
        assert "cannot be reached" in visit.notice()
    port = int(server.address.rsplit(":", 1)[1])
    with serving(photos, tmp_path / "artifacts", count, port):
        visit.page.get_by_role("button", name="Try again").click()
        visit.settled()


def test_offline_the_search_waits_for_the_connection(visit: Visit) -> None:
    visit.forgiven = "ERR_INTERNET_DISCONNECTED"
    go_offline(visit)
    begin(visit)
    expect(title(visit)).to_have_text("Offline. It goes on with the connection …")
    visit.page.wait_for_timeout(2_000)
    assert visit.searches() == 1
    visit.page.context.set_offline(False)
    wait_for_searches(visit, 2)


def test_offline_a_canceled_search_stays_canceled_when_the_connection_is_back(
    visit: Visit,
) -> None:
    visit.forgiven = "ERR_INTERNET_DISCONNECTED"
    go_offline(visit)
    begin(visit)
    expect(title(visit)).to_contain_text("Offline")
    visit.page.get_by_role("button", name="Cancel").click()
    visit.page.context.set_offline(False)
    visit.page.wait_for_timeout(500)
    assert visit.searches() == 1
    visit.page.get_by_role("button", name="Search again").click()
    visit.settled()


def test_a_part_of_the_page_that_hangs_is_told_of_and_can_be_canceled(visits: Visits) -> None:
    visit = visits()
    held: list[Route] = []
    visit.page.route("**/search-view.js*", lambda route: held.append(route))
    visit.page.reload()
    visit.page.wait_for_selector("#examples:not([hidden])")
    begin(visit)
    notice = visit.page.locator(".notice")
    expect(notice).to_contain_text("Out of reach. Once more in a moment …", timeout=30_000)
    notice.get_by_role("button", name="Cancel").click()
    expect(notice).not_to_be_visible()
    begin(visit)
    held.pop().continue_()
    visit.settled()
    assert visit.searches() == 1


def test_the_catalogs_categories_are_asked_for_again_without_a_word(visits: Visits) -> None:
    visit = visits()
    refuse(visit, 2, "**/api/categories", **NGINX)
    visit.page.reload()
    visit.page.wait_for_selector("#examples:not([hidden])")
    expect(visit.page.locator(".notice")).to_have_count(0)
    expect(visit.page.locator("#status")).to_have_text("")


def test_all_views_of_an_item_are_asked_for_again_without_a_word(visit: Visit) -> None:
    photo = visit.shop.photo("Sweaters")
    visit.choose(photo)
    views = len(list(photo.parent.glob("*.jpg")))
    refuse(visit, 1, "**/api/items/**", **NGINX)
    visit.page.locator(".card .open").first.click()
    expect(visit.page.locator("#viewer .views button")).to_have_count(views)
    expect(visit.page.locator(".notice")).to_have_count(0)


def test_a_photo_of_the_catalog_that_waits_is_told_on_the_start_page_too(visit: Visit) -> None:
    refuse(visit, 1, "**/catalog/**", **NGINX, headers={"Retry-After": "20"})
    visit.page.locator("#examples button").first.click()
    visit.page.wait_for_selector(".notice")
    assert "Once more in a moment" in visit.notice()
    visit.page.get_by_role("button", name="Cancel").click()
    expect(visit.page.locator(".notice")).to_have_count(0)
    refuse(visit, 1, "**/catalog/**", **NGINX)
    visit.page.locator("#examples button").first.click()
    visit.settled()

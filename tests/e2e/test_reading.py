"""The reading: what the page says of a catalog that is still indexed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.e2e.conftest import Shop, Visit, Visits, wait_for_searches
from tests.e2e.serving import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many photos that a fast first indexing outlasts a slow browser's first search."""
    folder = tmp_path_factory.mktemp("many")
    photo = Image.open(shop.photo("Sweaters"))
    for number in range(600):
        photo.crop((number % 30, number // 30, 480, 600)).save(folder / f"{number}.jpg")
    return folder


def test_a_first_indexing_is_told_while_it_runs_and_searched_again_at_its_end(
    visits: Visits, many: Path, tmp_path: Path
) -> None:
    visit = visits()
    page = visit.page
    with serving(many, tmp_path / "artifacts", 0) as server:
        page.goto(server.address)
        start, above = page.locator("#start .reading"), page.locator("#results .reading")
        left = r"(, about \d+ (seconds|minutes?) left)?"
        told = re.compile(
            rf"\d+ of 600 photos are read so far{left}\. You can search them already\."
        )
        expect(start).to_have_text(told)
        page.wait_for_selector("#examples:not([hidden])")
        page.set_input_files("#choose", visit.shop.photo("Sweaters"))
        expect(above).to_contain_text(re.compile(r"Searching the \d+ of 600 photos read so far\."))
        expect(above).to_contain_text("All photos are read now.", timeout=120_000)
        visit.settled()
        page.get_by_role("button", name="Search again").click()
        wait_for_searches(visit, 2)
        expect(above).to_be_hidden()
        expect(page.locator("#gallery")).to_have_text("600 photos in the catalog")
        page.goto("about:blank")  # a server that ends answers no thumbnails


def health(**changes: Any) -> dict[str, Any]:
    """Health, as far as the page reads it."""
    return {
        "status": "ok",
        "gallery": {"photos": 1_000},
        "indexing": None,
        "fetching": None,
    } | changes


def work(done: int, total: int, left: int | None = None, state: str = "working") -> dict[str, Any]:
    return {"state": state, "done": done, "total": total, "seconds_left": left}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (health(gallery={"photos": 340}, indexing=work(340, 1_143)), "340 of 1,143 photos"),
        (health(gallery={"photos": 340}, indexing=work(340, 1_143, 200)), "about 3 minutes left"),
        (health(gallery={"photos": 340}, indexing=work(340, 1_143, 21)), "about 30 seconds left"),
        (health(gallery=None, indexing=work(0, 0, state="listing")), "is being looked through"),
        (health(gallery=None, indexing=work(340, 1_143), status="empty"), "340 of 1,143 photos"),
        (health(gallery={"photos": 500}, indexing=work(0, 643)), "500 of 1,143 photos"),
        (health(gallery={"photos": 20}, fetching=work(30, 90)), "30 of 90 photos"),
        (health(indexing=work(5, 20)), None),  # changed photos
        (health(indexing=work(100, 1_001)), None),  # another model's gallery
        (health(), None),
    ],
)
def test_only_a_first_reading_is_told(
    visit: Visit, answer: dict[str, Any], says: str | None
) -> None:
    asked: list[Route] = []

    def reply(route: Route) -> None:
        asked.append(route)
        route.fulfill(json=answer)

    visit.page.route("**/api/health", reply)
    with visit.page.expect_response("**/api/health"):
        visit.page.reload()
    line = visit.page.locator("#start .reading")
    if says:
        expect(line).to_contain_text(says)
    visit.page.wait_for_timeout(3_500)
    assert line.is_visible() == bool(says)
    assert len(asked) == (2 if says else 1), "it is asked for again only while something is read"


def test_a_page_that_is_not_seen_asks_for_nothing(visit: Visit) -> None:
    asked: list[Route] = []

    def reply(route: Route) -> None:
        asked.append(route)
        route.fulfill(json=health(gallery={"photos": 340}, indexing=work(340, 1_143)))

    visit.page.route("**/api/health", reply)
    visit.page.reload()
    expect(visit.page.locator("#start .reading")).to_contain_text("340 of 1,143")
    visit.page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { get: () => window.away, configurable: true });
          window.away = true;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    before = len(asked)
    visit.page.wait_for_timeout(4_000)
    assert len(asked) == before
    visit.page.evaluate(
        "() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    visit.page.wait_for_timeout(500)
    assert len(asked) == before + 1

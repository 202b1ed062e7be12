"""The addresses: that of a catalog search opens it anywhere, whatever else is in it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import (
    COPIES,
    Visit,
    Visits,
    begin_from_the_catalog,
    start_is_shown,
    wait_for_searches,
)

pytestmark = pytest.mark.slow


def test_the_address_of_a_catalog_search_opens_the_same_search_anywhere(visits: Visits) -> None:
    visit, elsewhere = visits(), visits()
    item = begin_from_the_catalog(visit)
    assert f"?item={item}" in unquote(visit.page.url)
    first = visit.items()[0]
    elsewhere.page.goto(visit.page.url)
    elsewhere.settled()
    assert elsewhere.items() == visit.items()
    assert elsewhere.items()[0] == first
    assert elsewhere.page.title().endswith(" · Image Lens"), "a bookmark says what it is of"
    assert elsewhere.page.url == visit.page.url
    # Narrowed, with a box and a product looked at.
    visit.page.locator(".chip").nth(1).click()
    wait_for_searches(visit, 2)
    visit.page.locator("#crop").focus()
    visit.page.keyboard.press("Shift+ArrowUp")
    wait_for_searches(visit, 3)
    visit.settled()
    visit.page.locator(".card .open").first.click()
    looked = visit.page.locator("#viewer-title").inner_text()
    elsewhere.page.goto(visit.page.url)
    expect(elsewhere.page.locator("#viewer-title")).to_have_text(looked)
    assert elsewhere.items() == visit.items()
    for name in ("category", "crop"):
        state = f"history.state.{name}"
        assert elsewhere.page.evaluate(state) == visit.page.evaluate(state) is not None
    elsewhere.page.locator("#close").click()
    expect(elsewhere.page.get_by_role("dialog")).to_be_hidden()
    assert elsewhere.items() == visit.items(), "closing does not lead away"


def test_filters_order_and_examples_are_in_the_address_and_what_is_gone_of_them_is_left_out(
    visits: Visits,
) -> None:
    visit, elsewhere = visits(), visits()
    elsewhere.forgiven = "404"
    begin_from_the_catalog(visit)
    visit.page.locator(".card .more").nth(1).click()
    wait_for_searches(visit, 2)
    visit.page.locator(".card .less").last.click()
    wait_for_searches(visit, 3)
    visit.page.get_by_label("Sort by").select_option("price")
    wait_for_searches(visit, 4)
    visit.settled()
    address = visit.page.url
    assert "&sort=price&like.=id_" in address
    assert "title" not in address and "thumb" not in address
    gone = "id_gone:0123456789abcdef0123456789abcdef"
    for extra in ("", f"&like.={gone}&unlike.={gone}"):
        elsewhere.page.goto("about:blank")
        elsewhere.page.goto(address + extra)
        elsewhere.settled()
        assert elsewhere.items() == visit.items()
        chips = "chips => chips.map((chip) => chip.textContent)"
        assert elsewhere.page.locator("#asked li").evaluate_all(chips) == visit.page.locator(
            "#asked li"
        ).evaluate_all(chips)
        assert elsewhere.page.url == address


def test_a_search_for_what_is_liked_alone_is_an_address_and_is_shared(visit: Visit) -> None:
    visit.page.add_init_script(COPIES)
    item = visit.shop.photo("Dresses").parent.name
    visit.page.goto(f"{visit.shop.server.address}/?like.={item}&category=WOMEN")
    visit.settled()
    assert item not in visit.items()
    expect(visit.page.locator(".photo")).to_be_hidden()
    visit.page.locator("#share").click()
    assert visit.page.evaluate("window.copied") == visit.page.url
    assert visit.page.url.startswith(f"{visit.shop.server.address}/?category=WOMEN&like.={item}:")


def test_a_view_that_no_search_found_is_in_the_address_too(visits: Visits) -> None:
    visit, elsewhere = visits(), visits()
    begin_from_the_catalog(visit)
    visit.page.locator(".card .open").nth(2).click()
    views = visit.page.locator("#viewer .views button")
    views.last.click()
    key = visit.page.evaluate("history.state.view")

    def left_out(route: Any) -> None:
        reply = route.fetch()
        found = reply.json()
        found["hits"] = [hit for hit in found["hits"] if hit["key"] != key]
        route.fulfill(response=reply, json=found)

    elsewhere.page.route("**/api/search-image", left_out)
    elsewhere.page.goto(visit.page.url)
    expect(elsewhere.page.locator("#viewer .views [aria-pressed=true]")).to_be_visible()
    assert elsewhere.page.evaluate("history.state.view") == key
    shown = elsewhere.page.locator("#viewer .large img")
    assert key.rsplit("/", 1)[1] in str(shown.get_attribute("src"))


def test_an_item_alone_is_an_address(visit: Visit) -> None:
    photo = visit.shop.photo("Dresses")
    visit.page.goto(f"{visit.shop.server.address}/?item={quote(photo.parent.name)}")
    visit.settled()
    assert visit.items()[0] == photo.parent.name
    expect(visit.page.locator("#results-title")).to_have_text("This very photo is in the catalog")


def test_a_reload_of_a_catalog_search_is_the_search(visit: Visit) -> None:
    begin_from_the_catalog(visit)
    items = visit.items()
    visit.page.reload()
    visit.settled()
    assert visit.items() == items


def test_an_item_that_is_gone_is_told_at_the_start(visit: Visit) -> None:
    visit.forgiven = "404"
    for item in ("WOMEN/Dresses/id_gone", "../categories", "\0", "x" * 3_000):
        visit.page.goto(f"{visit.shop.server.address}/?{urlencode({'item': item})}")
        expect(visit.page.locator(".notice")).to_contain_text("no longer in the catalog")
        start_is_shown(visit.page)
        assert visit.page.url == f"{visit.shop.server.address}/"


@pytest.mark.parametrize(
    "query",
    [
        "item=%E0%A4%A",
        "item=",
        "item.x=1&item=~{",
        "category=WOMEN/Dresses",
        "__proto__.item=1&constructor.=2&crop=1",
    ],
)
def test_an_address_with_nonsense_is_told_and_is_the_start(visit: Visit, query: str) -> None:
    visit.forgiven = "404"
    visit.page.goto(f"{visit.shop.server.address}/?{query}")
    expect(visit.page.locator(".notice")).to_be_visible()
    start_is_shown(visit.page)


@pytest.mark.parametrize(
    "query",
    [
        "crop=banana",
        "crop=0.5,0.5,0.9,0.9",
        "crop=0,0,1,1,1",
        "crop.x=0",
        "category=~{}",
        "view=~[1]",
        "like=a&sort.=b",
        "sort=best",
        "filter=expensive",
        "filter.color=Blue",
        "filter.price.low=3",
        "category=&photo=",
    ],
)
def test_nonsense_beside_an_item_is_left_out_and_told(visit: Visit, query: str) -> None:
    item = visit.shop.photo("Dresses").parent.name
    visit.page.goto(f"{visit.shop.server.address}/?item={item}&{query}")
    visit.settled()
    assert visit.items()[0] == item
    assert "Not all of this address was understood" in visit.notice()


def test_what_others_add_to_an_address_is_not_ours_to_complain_of(visit: Visit) -> None:
    visit.page.goto(f"{visit.shop.server.address}/?utm_source=letter&fbclid=1#top")
    start_is_shown(visit.page)
    expect(visit.page.locator(".notice")).to_have_count(0)


def test_an_address_that_is_typed_over_the_one_shown_is_followed(visit: Visit) -> None:
    """Only what is behind the # changes: the browser does not load the page again."""
    visit.choose(visit.shop.photo("Sweaters"))
    items, address = visit.items(), visit.page.url
    visit.page.evaluate("location.hash = '#photo=0123456789abcdef'")
    expect(visit.page.locator(".notice")).to_contain_text("not on this device")
    visit.page.evaluate("(address) => { location.href = address; }", address)
    visit.settled()
    assert visit.items() == items


def test_any_plain_json_comes_back_from_a_query(visit: Visit) -> None:
    fields = {
        "sort": "price",
        "like": ["WOMEN/a b", "~c", "d&e=f#g", "ä+%41"],
        "filter": {
            "color": ["Blue", "12"],
            "price": {"low": "10", "high": "", "currency": "EUR"},
            "stock": True,
            "none": [],
            "deep": [[1, {"a": None}], None],
        },
        "sizes": {"odd.name": {"x": 1}, "": 2},
        "number": 1.5,
        "nothing": None,
    }
    query, back = visit.page.evaluate(
        """async (fields) => {
          const { toQuery, fromQuery } = await import("/parameters.js");
          const query = toQuery(fields);
          return [query, fromQuery(query)];
        }""",
        fields,
    )
    assert json.dumps(back) == json.dumps(fields), query
    assert query.startswith("sort=price&like.=WOMEN/a+b&")
    assert "filter.color.=Blue&filter.color.=12" in query
    assert "filter.stock=~true" in query


def test_a_name_of_a_query_reaches_no_other_object(visit: Visit) -> None:
    polluted = visit.page.evaluate(
        """async () => {
          const { fromQuery } = await import("/parameters.js");
          fromQuery("__proto__.bad=1&constructor.prototype.bad=1&a.__proto__.bad=1&a.b.c.d=1&a=2");
          return {}.bad ?? null;
        }"""
    )
    assert polluted is None

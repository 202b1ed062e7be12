"""What the page keeps: addresses that anybody can open, and photos on this device alone."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit, Visits, as_bytes, wait_for_searches
from tests.e2e.test_page import HEIC, serious

pytestmark = pytest.mark.slow

NO_DATABASE = "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }"
NO_ROOM = """
IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
"""
COPIES = """
Object.defineProperty(navigator, "clipboard", {
  value: { writeText: async (text) => { window.copied = text; } },
});
"""
# All that the page's database has, with bytes as lists of numbers.
DATABASE = """async () => {
  const request = indexedDB.open("image-lens", 1);
  await new Promise((done) => { request.onsuccess = done; });
  const names = [...request.result.objectStoreNames];
  const stores = {};
  for (const name of names) {
    const all = request.result.transaction(name).objectStore(name).getAll();
    await new Promise((done) => { all.onsuccess = done; });
    stores[name] = all.result.map((one) =>
      one.pixels ? { ...one, pixels: [...new Uint8Array(one.pixels)] } : one);
  }
  request.result.close();
  return stores;
}"""
RECENT = "#recent .look"


def kept(visit: Visit) -> dict[str, list[dict[str, Any]]]:
    stores: dict[str, list[dict[str, Any]]] = visit.page.evaluate(DATABASE)
    return stores


def wait_until_kept(visit: Visit, photos: int = 1) -> None:
    for _ in range(100):
        if len(kept(visit)["searches"]) == photos:
            return
        visit.page.wait_for_timeout(50)
    raise AssertionError(kept(visit)["searches"])


def start_is_shown(page: Page) -> None:
    expect(page.get_by_role("heading", name="Photograph a garment")).to_be_visible()


def begin_from_the_catalog(visit: Visit) -> str:
    """Start from the first example, and tell its item."""
    visit.page.locator("#examples button").first.click()
    visit.settled()
    item = visit.page.evaluate("history.state.item")
    assert isinstance(item, str)
    return item


def with_position() -> dict[str, Any]:
    """A photo of a phone that says where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 30.0), 3: "E", 4: (8.0, 32.0, 15.0)})
    exif[0x010E] = "at home"
    out = BytesIO()
    Image.new("RGB", (600, 750), (120, 30, 60)).save(out, "JPEG", exif=exif)
    assert b"Exif" in out.getvalue() and b"at home" in out.getvalue()
    return {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


# ---- the shopper's photos, on this device


def test_a_reload_keeps_the_photo_its_box_and_its_products(visit: Visit) -> None:
    visit.choose(visit.shop.photo("Dresses", "2_side"))
    visit.page.locator("#crop").focus()
    for _ in range(10):
        visit.page.keyboard.press("Shift+ArrowLeft")
    wait_for_searches(visit, 2)
    visit.settled()
    box, items = visit.page.evaluate("history.state.crop"), visit.items()
    sent = visit.sent()[1]
    visit.page.reload()
    visit.settled()
    assert visit.items() == items
    assert visit.page.evaluate("history.state.crop") == box
    assert visit.page.locator("#crop").evaluate("box => parseFloat(box.style.width)") == (
        pytest.approx(100 * box["w"])
    )
    assert visit.sent() == [sent], (
        "the same bytes are asked for again: the gallery may have changed"
    )
    assert visit.page.locator("#preview").evaluate("canvas => canvas.width") == 480


def test_a_photo_that_was_made_small_is_the_very_photo_after_a_reload_too(visit: Visit) -> None:
    """Its own bytes are gone then; the server knows the small ones again."""
    out = BytesIO()
    Image.open(visit.shop.photo("Dresses")).resize((1200, 1500)).save(out, "PNG", compress_level=0)
    visit.choose({"name": "large.png", "mimeType": "image/png", "buffer": out.getvalue()})
    sent = visit.sent()[0]
    assert sent.startswith(b"\xff\xd8")
    visit.page.reload()
    visit.settled()
    assert visit.sent() == [sent]


def test_back_from_another_site_is_the_search_again(visit: Visit) -> None:
    visit.page.context.route("https://shop.example/**", lambda route: route.fulfill(body="shop"))
    visit.choose(visit.shop.photo("Sweaters"))
    visit.page.locator(".chip").nth(2).click()
    wait_for_searches(visit, 2)
    items = visit.items()
    visit.page.goto("https://shop.example/")
    visit.page.go_back()
    visit.settled()
    assert visit.items() == items
    visit.page.go_back()
    visit.settled()
    assert visit.items() != items
    visit.page.go_back()
    start_is_shown(visit.page)


def test_the_address_of_a_shoppers_photo_tells_nothing_and_is_never_sent(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.choose(visit.shop.photo("Sweaters"))
    address = visit.page.url
    wait_until_kept(visit)
    id_ = visit.page.evaluate("history.state.photo")
    assert visit.page.title() == "Image Lens"
    assert address == f"{visit.shop.server.address}/#photo={id_}"
    visit.page.reload()
    visit.settled()
    assert not any(id_ in url for url in asked), "what is behind the # stays here"


def test_the_address_of_a_shoppers_photo_opens_here_and_says_why_not_elsewhere(
    visits: Visits,
) -> None:
    visit, elsewhere = visits(), visits()
    visit.choose(visit.shop.photo("Sweaters"))
    visit.page.locator(".chip").nth(2).click()
    wait_for_searches(visit, 2)
    address, items = visit.page.url, visit.items()
    wait_until_kept(visit)
    for page, goes in ((visit.page.context.new_page(), True), (elsewhere.page, False)):
        page.goto(address)
        if goes:
            page.wait_for_selector("#results[aria-busy=false] .card:not(.waiting)")
            cards = page.locator(".card")
            assert cards.evaluate_all("all => all.map((one) => one.dataset.item)") == items
        else:
            expect(page.locator(".notice")).to_contain_text("That photo is not on this device")
            start_is_shown(page)
            assert page.url == f"{visit.shop.server.address}/"


def test_recent_photos_are_listed_newest_first_gone_on_with_and_forgotten(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("#recent")).to_be_hidden()
    for category in ("Sweaters", "Dresses", "Denim"):
        visit.choose(visit.shop.photo(category))
    visit.page.locator(".chip").nth(2).click()
    wait_for_searches(visit, 4)
    items = visit.items()
    page.reload()
    visit.settled()
    page.locator("#home").click()
    expect(page.locator(RECENT)).to_have_count(3)
    expect(page.locator("#recent")).to_contain_text("They stay in this browser")
    assert serious(page) == []
    names = [one["name"] for one in kept(visit)["photos"]]
    assert sorted(names) == sorted(
        visit.shop.photo(c).name for c in ("Sweaters", "Dresses", "Denim")
    )
    page.locator(RECENT).first.click()
    visit.settled()
    assert visit.items() == items, "with its category"
    page.locator("#home").click()
    page.locator("#recent .forget").first.click()
    expect(page.locator(RECENT)).to_have_count(2)
    assert (
        page.evaluate("document.querySelector('image-lens').shadowRoot.activeElement.className")
        == "forget"
    ), "the keyboard goes on from the next one"
    assert {len(store) for store in kept(visit).values()} == {2}
    page.go_back()
    expect(page.locator(".notice")).to_contain_text("not on this device")
    page.get_by_role("button", name="Forget all").click()
    expect(page.locator("#recent")).to_be_hidden()
    assert list(kept(visit).values()) == [[], []]
    page.reload()
    start_is_shown(page)
    expect(page.locator("#recent")).to_be_hidden()


def test_only_the_latest_photos_are_kept(visit: Visit) -> None:
    visit.choose(visit.shop.photo("Sweaters"))
    wait_until_kept(visit)
    visit.page.evaluate(
        """async () => {
          const { Kept } = await import("/kept.js");
          const one = { name: "", contentId: null, thumb: async () => "data:,",
                        travelling: async () => new Blob(["pixels"]) };
          const kept = new Kept(true);
          for (let n = 0; n < 30; n++) await kept.keep({ ...one, id: `photo ${n}` }, { n });
        }"""
    )
    stores = kept(visit)
    assert {len(store) for store in stores.values()} == {30}
    assert {one["search"].get("n") for one in stores["searches"]} == set(range(30))


def test_what_one_tab_forgets_another_does_not_bring_back(visit: Visit) -> None:
    visit.choose(visit.shop.photo("Sweaters"))
    wait_until_kept(visit)
    other = visit.page.context.new_page()
    other.goto(visit.shop.server.address)
    other.get_by_role("button", name="Forget all").click()
    expect(other.locator("#recent")).to_be_hidden()
    visit.page.locator(".chip").nth(2).click()
    wait_for_searches(visit, 2)
    visit.page.locator("#home").click()
    expect(visit.page.locator("#headline")).to_be_visible()
    assert list(kept(visit).values()) == [[], []]


def test_two_tabs_keep_their_photos_beside_each_other(visit: Visit) -> None:
    other = Visit(visit.page.context.new_page(), visit.shop)
    other.page.goto(visit.shop.server.address)
    for one, category in ((visit, "Sweaters"), (other, "Dresses")):
        one.page.set_input_files("#choose", visit.shop.photo(category))
    visit.settled()
    other.settled()
    wait_until_kept(visit, 2)
    for one in (visit, other):
        one.page.locator("#home").click()
        expect(one.page.locator(RECENT)).to_have_count(2)


@pytest.mark.parametrize("refusal", [NO_DATABASE, NO_ROOM], ids=["refused", "full"])
def test_where_nothing_can_be_kept_the_page_works_without(visits: Visits, refusal: str) -> None:
    visit = visits()
    page = visit.page
    page.add_init_script(refusal)
    page.reload()
    visit.choose(visit.shop.photo("Sweaters"))
    items = visit.items()
    page.locator(".chip").nth(2).click()
    wait_for_searches(visit, 2)
    page.go_back()
    assert visit.items() == items
    page.locator("#home").click()
    start_is_shown(page)
    expect(page.locator("#recent")).to_be_hidden()
    expect(page.locator(".notice")).to_have_count(0)
    page.go_back()
    visit.settled()
    page.reload()
    start_is_shown(page)


def test_where_a_photo_was_taken_is_not_kept(visit: Visit) -> None:
    visit.choose(with_position())
    wait_until_kept(visit)
    [photo] = kept(visit)["photos"]
    data = bytes(photo["pixels"])
    assert data == visit.sent()[0]
    assert b"Exif" not in data
    assert b"at home" not in data
    [thumb] = kept(visit)["searches"]
    assert thumb["thumb"].startswith("data:image/jpeg;base64,")
    assert sorted(photo) == ["contentId", "name", "pixels", "type"]


def test_a_photo_that_only_the_server_can_decode_is_not_kept(visit: Visit) -> None:
    heic = HEIC.read_bytes()
    visit.choose({"name": "phone.heic", "mimeType": "image/heic", "buffer": heic})
    visit.page.locator("#home").click()
    start_is_shown(visit.page)
    visit.page.evaluate("import('/kept.js').then(({ Kept }) => new Kept(true).list())")
    assert list(kept(visit).values()) == [[], []]


# ---- the address of a catalog search


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


# ---- sharing


def test_a_catalog_search_is_shared_by_its_address(visit: Visit) -> None:
    visit.page.add_init_script(COPIES)
    visit.page.reload()
    begin_from_the_catalog(visit)
    button = visit.page.locator("#share")
    button.click()
    expect(button).to_have_text("Copied")
    expect(visit.page.locator("#share + [role=status]")).to_have_text("Copied")
    assert visit.page.evaluate("window.copied") == visit.page.url
    expect(button).to_have_text("Share")


def test_of_a_shoppers_photo_only_a_product_is_shared(visit: Visit) -> None:
    visit.page.add_init_script(
        "navigator.share = async (what) => { window.shared = what; };"  # as phones have it
    )
    visit.page.reload()
    visit.choose(visit.shop.photo("Dresses", "2_side"))
    expect(visit.page.locator("#share")).to_be_hidden()
    visit.page.locator(".card .open").first.click()
    name = visit.page.locator("#viewer-title").inner_text()
    link = visit.page.locator("#viewer .shop").get_attribute("href")
    visit.page.locator("#viewer .share").click()
    assert visit.page.evaluate("window.shared") == {"title": name, "url": link}


def test_a_product_without_a_link_is_shared_as_a_search_for_it(visits: Visits) -> None:
    visit, elsewhere = visits(), visits()
    visit.page.add_init_script(COPIES)
    visit.page.reload()

    def unlinked(route: Any) -> None:
        reply = route.fetch()
        found = reply.json()
        found["hits"] = [{**hit, "product": None} for hit in found["hits"]]
        route.fulfill(response=reply, json=found)

    visit.page.route("**/api/search-image", unlinked)
    visit.choose(as_bytes(visit.shop.photo("Dresses")))
    visit.page.locator(".card .open").nth(1).click()
    visit.page.locator("#viewer .share").click()
    expect(visit.page.locator("#viewer .share")).to_have_text("Copied")
    address = visit.page.evaluate("window.copied")
    assert visit.page.evaluate("history.state.photo") not in address
    elsewhere.page.goto(address)
    elsewhere.settled()
    assert elsewhere.items()[0] == visit.items()[1]


def test_where_there_is_no_clipboard_the_address_is_shown(visit: Visit) -> None:
    visit.page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
    )
    visit.page.reload()
    begin_from_the_catalog(visit)
    shown: list[str] = []

    def answer(dialog: Any) -> None:
        shown.append(dialog.default_value)
        dialog.dismiss()

    visit.page.on("dialog", answer)
    visit.page.locator("#share").click()
    assert shown == [visit.page.url]


# ---- a widget, in a page of somebody else


def test_a_widget_leaves_the_address_and_the_storage_of_its_page_alone(visit: Visit) -> None:
    page, address = visit.page, f"{visit.shop.server.address}/host.html?its=own#place"
    page.route(
        "**/host.html*",
        lambda route: route.fulfill(
            content_type="text/html",
            body="<script type='module' src='/lens-widget.js'></script><image-lens></image-lens>",
        ),
    )
    page.goto(address)
    page.wait_for_selector("#examples:not([hidden])")
    page.evaluate("indexedDB.deleteDatabase('image-lens')")
    steps = page.evaluate("history.length")
    begin = page.locator("#examples button").first
    begin.click()
    visit.settled()
    visit.choose(visit.shop.photo("Sweaters"))
    page.locator(".card .open").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.url == address
    assert page.evaluate("history.length") == steps
    assert page.evaluate("history.state") is None
    assert page.evaluate("indexedDB.databases()") == []

"""What the page keeps: a shopper's photos and searches, on this device alone."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import (
    Visit,
    Visits,
    standing,
    start_is_shown,
    wait_for_searches,
)
from tests.e2e.test_page import HEIC, serious

pytestmark = pytest.mark.slow

NO_DATABASE = "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }"
NO_ROOM = """
IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
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
    for _ in range(1_200):  # a minute: a busy machine is no failure
        if len(kept(visit)["searches"]) == photos:
            return
        visit.page.wait_for_timeout(50)
    raise AssertionError(kept(visit)["searches"])


def with_position() -> dict[str, Any]:
    """A photo of a phone that says where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 30.0), 3: "E", 4: (8.0, 32.0, 15.0)})
    exif[0x010E] = "at home"
    out = BytesIO()
    Image.new("RGB", (600, 750), (120, 30, 60)).save(out, "JPEG", exif=exif)
    assert b"Exif" in out.getvalue() and b"at home" in out.getvalue()
    return {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def test_a_reload_keeps_the_photo_its_box_and_its_products(visit: Visit) -> None:
    visit.choose(visit.shop.photo("Dresses", "2_side"))
    visit.page.locator("#crop").focus()
    with standing(visit):
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

"""The products on the page in a real Chromium: cards, prices, variants, and names of paths."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Shop, Visit, Visits
from tests.e2e.serving import serving
from tests.e2e.stocked_shop import PRODUCTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(stocked: Shop) -> Shop:
    return stocked


def photo_of(shop: Shop, number: int, view: str = "1_front") -> Path:
    return next(shop.folder.rglob(f"P{number:03}/{view}.jpg"))


def card_of(visit: Visit, number: int) -> Locator:
    return visit.page.locator(f'.card[data-item$="P{number:03}"]')


def text(locator: Locator) -> str:
    return " ".join(locator.inner_text().split())


def test_a_card_says_name_price_variants_and_leads_to_the_shop(visit: Visit) -> None:
    visit.choose(photo_of(visit.shop, 2))
    card = card_of(visit, 2)
    assert text(card.locator("h2")) == "Jeans 2"
    assert text(card.locator(".category")) == 'O\'Neil "76" · Red'
    assert text(card.locator(".price")) == "€18.50"
    assert text(card.locator(".variants")) == "3 colors · S–L"
    expect(card.locator(".swatch")).to_have_count(3)
    link = card.get_by_role("link", name="View at the shop: Jeans 2")
    address = link.get_attribute("href") or ""
    assert address.startswith("https://shop.example/P002?color=Red&size=L")
    expect(link).to_have_attribute("rel", "noopener")


def test_a_sale_is_told_to_those_who_do_not_see_that_a_price_is_struck_through(
    visit: Visit,
) -> None:
    visit.choose(photo_of(visit.shop, 0))
    price = card_of(visit, 0).locator(".price")
    assert text(price) == "Sale price: €5 Before the sale: €12.50"
    expect(price.locator("s")).to_have_text("€12.50")


def test_what_is_sold_out_says_so_and_comes_last(visit: Visit) -> None:
    visit.choose(photo_of(visit.shop, 5))
    for pages in (2, 3):
        visit.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(visit.page.locator(".card")).to_have_count(min(24 * pages, PRODUCTS))
    card = card_of(visit, 5)
    gone = visit.page.locator(".card.gone")
    assert visit.items()[-11:] == gone.evaluate_all("all => all.map((one) => one.dataset.item)")
    expect(card).to_have_class(re.compile("gone"))
    assert "Sold out" in text(card.locator(".price"))


def test_a_product_has_its_face_and_small_the_photo_that_was_found(visit: Visit) -> None:
    """The back is searched with; the shop shows the front first."""
    visit.choose(photo_of(visit.shop, 4, "3_back"))
    card = card_of(visit, 4)
    found = card.locator(".found")
    expect(found).to_be_visible()
    small, large = (each.get_attribute("src") for each in (found, card.locator(".open img")))
    assert small is not None and small.removesuffix("?size=128") != large
    visit.choose(photo_of(visit.shop, 4))
    expect(card.locator(".found")).to_be_hidden()
    expect(card.locator(".open img")).to_have_attribute("src", large or "")


def test_a_variant_that_is_chosen_has_its_own_price_link_and_stock(visit: Visit) -> None:
    visit.choose(photo_of(visit.shop, 2))
    card_of(visit, 2).locator(".open").click()
    dialog = visit.page.get_by_role("dialog")
    price, link = dialog.locator(".price"), dialog.get_by_role("link", name="View at the shop")
    assert text(price) == "€18.50"
    sizes = dialog.get_by_role("group", name="Size").get_by_role("button")
    assert sizes.all_inner_texts() == ["S", "M", "L"], "in the order of sizes, not of the file"
    sizes.first.click()
    expect(sizes.first).to_be_focused()
    expect(sizes.first).to_have_attribute("aria-pressed", "true")
    assert text(price) == "€16.50"
    dialog.get_by_role("button", name="Navy").click()
    expect(link).to_have_attribute("href", "https://shop.example/P002?color=Navy&size=S")
    dialog.get_by_role("button", name="M, sold out").click()
    assert text(price) == "€16.50 Sold out"


def test_amounts_are_exact_and_in_their_currency(visit: Visit) -> None:
    def written(amount: str, currency: str) -> Any:
        return visit.page.evaluate(
            """async ([amount, currency]) => {
              const { priceOf } = await import("/product.js");
              return priceOf({ price: { amount, currency } }).now;
            }""",
            [amount, currency],
        )

    assert written("9007199254740993.25", "USD") == "$9,007,199,254,740,993.25"
    assert written("25.00", "EUR") == "€25"
    assert written("25.5", "EUR") == "€25.50"
    assert written("1500", "JPY") == "¥1,500"
    assert written("19.90", "") == "19.90"
    assert written("19.90", "EURO") == "19.90 EURO"


@pytest.mark.parametrize(
    ("item_id", "category", "title", "below"),
    [
        ("WOMEN/Dresses/id_00000022", "WOMEN/Dresses", "Dresses", "Women · No. 22"),
        ("shop/2024/WOMEN/Tees_Tanks/red_summer-dress", "shop/2024/WOMEN/Tees_Tanks",
         "Red summer dress", "Women · Tees & Tanks"),
        ("Dresses/IMG_2034.jpg", "Dresses", "Dresses", "No. 2034"),
        ("IMG_2034.jpg", "", "No. 2034", ""),
        ("d41d8cd98f00b204e9800998ecf8427e", "Shirts", "Shirts", "d41d8cd9"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "", "3f2504e0", ""),
        ("MJ08-BLUE", "Men", "Men", "MJ08-BLUE"),
        ("RED_DRESS", "", "Red dress", ""),
        ("Caf%C3%A9%20Racer", "", "Café Racer", ""),
        ("夏_ワンピース", "", "夏 ワンピース", ""),
        ("100%cotton", "", "100%cotton", ""),
    ],
)  # fmt: skip
def test_without_a_product_file_a_path_becomes_a_name(
    visit: Visit, item_id: str, category: str, title: str, below: str
) -> None:
    name = visit.page.evaluate(
        """async ([item_id, category]) => {
          const { itemName } = await import("/product.js");
          return itemName({ item_id, category, product: null });
        }""",
        [item_id, category],
    )
    assert name == {"title": title, "below": below}


def test_without_a_product_file_nothing_is_offered_that_needs_one(
    visits: Visits, shop: Shop, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    for category in ("Sweaters", "Dresses", "Denim"):
        source = next((shop.folder / category).iterdir())
        shutil.copytree(source, folder / category / source.name)
    with serving(folder, tmp_path / "artifacts", 6) as server:
        visit = visits()
        visit.page.goto(server.address)
        visit.choose(photo_of(shop, 0))
        expect(visit.page.locator("#refine .menus")).to_be_hidden()
        expect(visit.page.locator(".chip")).to_have_count(4)
        card = visit.page.locator(".card").first
        for part in (".price", ".variants", ".shop", ".found"):
            expect(card.locator(part)).to_be_hidden()
        expect(visit.page.locator("#end")).to_contain_text("That is all: 3 products.")


def test_every_product_is_one_card(visit: Visit) -> None:
    visit.choose(photo_of(visit.shop, 0))
    assert len(visit.items()) == len(set(visit.items()))
    assert len(visit.items()) < PRODUCTS

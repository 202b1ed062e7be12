"""The page's languages in a real Chromium: who reads which, and whether the words fit."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Visit, Visits

pytestmark = pytest.mark.slow

HEADLINES = {
    "en": "Photograph a garment, find the product.",
    "de": "Kleidungsstück fotografieren, Produkt finden.",
    "fr": "Photographiez un vêtement, trouvez le produit.",
}
# Texts that are wider than their place or reach out of the window, but for what can be scrolled
# there and what only screen readers get.
_TOO_WIDE = """() => {
  const style = (element, name) => getComputedStyle(element)[name];
  const scrolled = (element) =>
    element && (/auto|scroll/.test(style(element, "overflowX")) || scrolled(element.parentElement));
  const speaks = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const wide = (element) => {
    const { left, right } = element.getBoundingClientRect();
    const inline = style(element, "display") === "inline";
    const cut = !inline && element.scrollWidth > element.clientWidth + 1;
    return left < -1 || right > innerWidth + 1 || cut;
  };
  const { shadowRoot } = document.querySelector("image-lens");
  return [...shadowRoot.querySelectorAll("#lens *:not(.unseen)")]
    .filter((element) => element.checkVisibility() && speaks(element) && !scrolled(element))
    .filter(wide)
    .map((element) => `${element.className || element.id}: ${element.textContent}`);
}"""


def headline(page: Page) -> str:
    return page.locator("#headline").inner_text()


def language(page: Page) -> list[str]:
    """What the page and the app in it say their language is."""
    told: list[str] = page.evaluate(
        """() => {
          const { shadowRoot } = document.querySelector("image-lens");
          return [document.documentElement.lang, shadowRoot.getElementById("lens").lang];
        }"""
    )
    return told


def reloaded(visit: Visit) -> list[str]:
    """Load the page again; the files of words that it takes."""
    taken: list[str] = []
    visit.page.on("request", lambda request: taken.append(request.url))
    visit.page.reload()
    visit.page.wait_for_selector("#examples:not([hidden])")
    return [url.rsplit("/", 1)[1] for url in taken if "/words/" in url]


def change_markup(visit: Visit, old: str, new: str) -> None:
    """From now on the page's HTML has this instead."""

    def answer(route: Route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, body=reply.text().replace(old, new))

    visit.page.route(re.compile(r"/$"), answer)


@pytest.mark.parametrize(
    ("locale", "spoken"),
    [
        ("de-DE", "de"),
        ("de-AT", "de"),
        ("fr-FR", "fr"),
        ("fr-CA", "fr"),
        ("en-GB", "en"),
        ("ja", "en"),
    ],
)
def test_a_browser_gets_the_page_in_its_language_and_no_other(
    visits: Visits, locale: str, spoken: str
) -> None:
    visit = visits(locale=locale)
    assert headline(visit.page) == HEADLINES[spoken]
    assert language(visit.page) == [spoken, spoken]
    assert reloaded(visit) == [f"{spoken}.js"]


@pytest.mark.parametrize(
    ("tag", "spoken"), [("fr", "fr"), ("de_CH", "de"), ("not a language", "en"), ("ja", "en")]
)
def test_the_language_of_the_page_around_goes_before_the_browsers(
    visits: Visits, tag: str, spoken: str
) -> None:
    visit = visits(locale="en-US")
    change_markup(visit, "<html>", f'<html lang="{tag}">')
    reloaded(visit)
    assert headline(visit.page) == HEADLINES[spoken]


def test_the_elements_own_language_goes_first(visits: Visits) -> None:
    visit = visits(locale="de-DE")
    change_markup(visit, "<image-lens", '<image-lens lang="fr"')
    assert reloaded(visit) == ["fr.js"]
    assert headline(visit.page) == HEADLINES["fr"]


@pytest.mark.parametrize(
    ("locale", "price", "found", "closer", "similarity"),
    [
        (
            "en-US",
            r"€\d+",
            "This very photo is in the catalog",
            "Look closer: ",
            "Similarity 1.00 of 1",
        ),
        (
            "de-DE",
            r"\d+\u00a0€",
            "Genau dieses Foto ist im Sortiment",
            "Genauer ansehen: ",
            "Ähnlichkeit 1,00 von 1",
        ),
        (
            "de-CH",
            r"EUR\u00a0\d+|\d+\u00a0EUR|€\u00a0\d+",
            "Genau dieses Foto ist im Sortiment",
            "Genauer ansehen: ",
            "Ähnlichkeit 1.00 von 1",
        ),
        (
            "fr-FR",
            r"\d+\u00a0€",
            "Cette photo est déjà au catalogue",
            "Voir de plus près\u202f: ",
            "Similarité\u202f: 1,00 sur 1",
        ),
    ],
)
def test_results_prices_and_labels_are_in_the_readers_language(
    visits: Visits, locale: str, price: str, found: str, closer: str, similarity: str
) -> None:
    visit = visits(locale=locale)
    visit.choose(visit.shop.photo("Dresses", "2_side"))
    expect(visit.page.locator("#results-title")).to_have_text(found)
    best = visit.page.locator(".card.best")
    asked = best.locator(".price").evaluate("(place) => place.firstChild.data")
    assert re.fullmatch(price, asked), asked
    label = best.locator(".open").get_attribute("aria-label")
    assert label is not None
    assert label.startswith(closer)
    best.locator(".open").click()
    exactly = visit.page.locator("#viewer .fine").evaluate("(place) => place.textContent")
    assert exactly == similarity


def test_an_error_without_words_is_told_in_the_readers_language(visits: Visits) -> None:
    visit = visits(locale="de-DE")
    visit.forgiven = "status of 418"
    error = {"error": {"code": "teapot", "message": "this server makes tea"}}
    visit.page.route("**/api/search-image", lambda route: route.fulfill(status=418, json=error))
    visit.page.set_input_files("#choose", visit.shop.photo("Sweaters"))
    visit.page.wait_for_selector(".notice")
    assert visit.notice().split("\n")[0] == "Hier ist etwas schiefgegangen"


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "fr-FR"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_word_is_too_wide_for_its_place(visits: Visits, width: int, locale: str) -> None:
    visit = visits(width, touch=width < 600, locale=locale, reduced_motion="reduce")
    page = visit.page

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_TOO_WIDE) == []

    fits()
    visit.choose(visit.shop.photo("Sweaters"))
    fits()
    page.locator(".card .open").first.click()
    page.wait_for_selector("#viewer[open]")
    fits()
    page.keyboard.press("Escape")
    page.set_input_files("#choose", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"})
    page.wait_for_selector(".notice")
    fits()

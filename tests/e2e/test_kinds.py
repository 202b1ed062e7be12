"""Odd photos: the server's pixels are those that Chromium draws, as the table in the documents says
(kinds_table.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.kinds_table import PAGE, compared, row_of
from tests.support.odd_photos import ODD

# Mean CIEDE2000 over all of it; about 1 is just noticeable side by side.
ALIKE = 1.5


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_photo_looks_as_chromium_shows_it(kind: str, blank: Page) -> None:
    odd = ODD[kind]
    found = compared(blank, odd)
    difference = found.difference
    alike = difference is not None and difference < ALIKE
    assert alike != bool(odd.but), f"{difference}: {odd.but}"
    assert row_of(kind, PAGE.read_text()) == found.cells().strip()


def test_the_table_names_no_other_kind() -> None:
    text = PAGE.read_text()
    table = text[text.index("<!-- drawn: kinds -->") : text.index("<!-- end -->")]
    assert table.count("\n| ") == len(ODD) + 2

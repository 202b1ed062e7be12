"""A browser on the page of a small shop: part of the sample catalog, served by `lens serve`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.e2e.chromium import NoBrowserError, chromium
from tests.e2e.serving import Server, serving
from tests.e2e.stocked_shop import stock
from tests.support.drawn_shop import draw_shop

# How long a busy machine may take for what comes at once on an idle one, in milliseconds.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

DRAWN = ("Sweaters", "Dresses", "Denim", "Cardigans", "Skirts", "Blouses_Shirts")

# Keeps the file and the region that each search sends in window.sent and window.regions, and all
# its other fields, each a list, in window.asked.
_REMEMBER = """
window.sent = [];
window.regions = [];
window.asked = [];
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  if (body instanceof FormData) {
    window.sent.push(body.get("file"));
    window.regions.push(body.get("region"));
    const names = [...new Set(body.keys())].filter((name) => name !== "file");
    window.asked.push(Object.fromEntries(names.map((name) => [name, body.getAll(name)])));
  }
  return send.call(this, body);
};
"""

COPIES = """
Object.defineProperty(navigator, "clipboard", {
  value: { writeText: async (text) => { window.copied = text; } },
});
"""


@dataclass
class Visit:
    """An open page of the shop, with the errors and warnings of its console."""

    page: Page
    shop: Shop
    complaints: list[str] = field(default_factory=list)
    forgiven: str = "$^"  # errors that a test causes on purpose, as a regular expression

    def choose(self, photo: Path | str | dict[str, Any]) -> None:
        """Choose a file and wait for its results."""
        self.page.set_input_files("#choose", photo)  # type: ignore[arg-type]
        self.settled()

    def settled(self) -> None:
        """Wait until cards are shown and no search is running."""
        self.page.wait_for_selector("#results:not(.stale)[aria-busy=false] .card:not(.waiting)")

    def sent(self) -> list[bytes]:
        """The files that all searches so far have uploaded."""
        arrays: list[list[int]] = self.page.evaluate(
            """async () => {
              const read = async (file) => [...new Uint8Array(await file.arrayBuffer())];
              return Promise.all(window.sent.map(read));
            }"""
        )
        return [bytes(array) for array in arrays]

    def regions(self) -> list[str | None]:
        """The regions that all searches so far have asked for."""
        asked: list[str | None] = self.page.evaluate("window.regions")
        return asked

    def asked(self) -> dict[str, list[str]]:
        """The fields of the last search, but its file."""
        fields: dict[str, list[str]] = self.page.evaluate("window.asked.at(-1)")
        return fields

    def searches(self) -> int:
        """How many searches were sent."""
        return int(self.page.evaluate("window.sent.length"))

    def items(self) -> list[str]:
        """The items on the cards, in order."""
        found: list[str] = self.page.locator(".card").evaluate_all(
            "cards => cards.map((card) => card.dataset.item)"
        )
        return found

    def notice(self) -> str:
        """The text of the visible notice: what is wrong, and what to do."""
        return self.page.locator(".notice:visible").inner_text()


@dataclass(frozen=True)
class Shop:
    """A drawn catalog and its server."""

    folder: Path
    server: Server

    @property
    def photos(self) -> list[Path]:
        """The catalog's photos."""
        return sorted(self.folder.rglob("*.jpg"))

    def photo(self, category: str, view: str = "1_front") -> Path:
        """The first photo of this view in a category."""
        return next(p for p in self.photos if category in p.parts and view in p.name)


Visits = Callable[..., Visit]


def wait_for_searches(visit: Visit, count: int) -> None:
    """Wait for the results of so many searches."""
    visit.page.wait_for_function("(count) => window.sent.length >= count", arg=count)
    visit.settled()


@contextmanager
def standing(visit: Visit) -> Iterator[None]:
    """The page's time stands still in the block: on a busy machine, what it shows for a second
    would be gone before it is looked at, and keys would come too far apart."""
    visit.page.clock.install()
    visit.page.clock.pause_at(time.time() + 10)
    yield
    visit.page.clock.resume()


def collage(shop: Shop) -> tuple[dict[str, Any], str]:
    """Two garments side by side, and the item on the right."""
    left, right = shop.photo("Sweaters"), shop.photo("Dresses")
    both = Image.new("RGB", (960, 600))
    for place, photo in enumerate((left, right)):
        both.paste(Image.open(photo), (480 * place, 0))
    out = BytesIO()
    both.save(out, "JPEG", quality=90)
    file: dict[str, Any] = {"name": "two.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}
    return file, right.parent.name


def as_bytes(photo: Path) -> dict[str, Any]:
    """A photo whose upload a route can read: of a file that is named by its path it sees none."""
    return {"name": photo.name, "mimeType": "image/jpeg", "buffer": photo.read_bytes()}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("page")
    folder = root / "photos"
    count = draw_shop(folder, DRAWN)
    with serving(folder, root / "artifacts", count) as server:
        yield Shop(folder, server)


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with several pages of products."""
    root = tmp_path_factory.mktemp("stocked")
    folder = root / "photos"
    count = stock(folder, root / "drawn")
    with serving(folder, root / "artifacts", count) as server:
        yield Shop(folder, server)


# Not one browser for the session: while Playwright runs, this thread has an event loop, and the
# API's tests start their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as browser:
            yield browser
    except NoBrowserError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def visits(browser: Browser, shop: Shop) -> Iterator[Visits]:
    """Opens pages; at the end no page's console may have errors or warnings."""
    opened: list[Visit] = []

    def visit(width: int = 1280, *, touch: bool = False, **options: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 600 else 760},
            has_touch=touch,
            is_mobile=touch,
            **options,
        )
        context.set_default_timeout(PATIENCE)
        context.add_init_script(_REMEMBER)
        page = context.new_page()
        one = Visit(page, shop)

        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                one.complaints.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: one.complaints.append(str(error)))
        page.goto(shop.server.address)
        page.wait_for_selector("#examples:not([hidden])")
        opened.append(one)
        return one

    yield visit
    for one in opened:
        one.page.context.close()
    left = [c for one in opened for c in one.complaints if not re.search(one.forgiven, c)]
    assert left == []


@pytest.fixture
def visit(visits: Visits) -> Visit:
    """A page on a desktop."""
    return visits()


def start_is_shown(page: Page) -> None:
    expect(page.get_by_role("heading", name="Photograph a garment")).to_be_visible()


def begin_from_the_catalog(visit: Visit) -> str:
    """Start from the first example, and tell its item."""
    visit.page.locator("#examples button").first.click()
    visit.settled()
    item = visit.page.evaluate("history.state.item")
    assert isinstance(item, str)
    return item

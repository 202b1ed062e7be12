"""The browser: finds and starts the Chromium that the tests drive."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

MISSING = (
    "no Chromium: install Debian's (apt-get install chromium) "
    "or Playwright's own (playwright install chromium)"
)
# The browser itself sends nothing over the network, and needs no GPU and no user namespace.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(Exception):
    """Neither Debian's Chromium nor Playwright's own is installed."""


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A headless Chromium with these additional arguments; NoBrowserError if none is installed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_executable(playwright), args=[*_ARGUMENTS, *arguments]
        )
        try:
            yield browser
        finally:
            browser.close()


def _executable(playwright: Playwright) -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    if not Path(own).exists():
        raise NoBrowserError(MISSING)
    return own

"""First paint: `python -m tests.benchmarks.first_paint` opens the page of a drawn shop over a slow
network, in Chromium, and says when something stood there and when a photo could be chosen.

The network is Lighthouse's "slow 4G" (its docs/throttling.md): 1.6 Mbit/s down, 750 kbit/s up and
150 ms a round trip, in a browser that has never been here.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from lambdas.local.sample.catalog import draw_catalog
from tests.e2e.chromium import chromium
from tests.e2e.serving import serving

ROUNDS = 7
SLOW_4G: dict[str, object] = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 750e3 / 8,
}
_FIRST_PAINT = """
() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime
"""


def visit(browser: Browser, address: str) -> tuple[float, float]:
    """Milliseconds from the navigation's start to the first paint with content, and to the button
    that a photo is chosen with."""
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", SLOW_4G)
        page.goto(address, wait_until="commit")
        page.locator("image-lens .hero [data-pick=choose]").wait_for()
        ready = float(page.evaluate("performance.now()"))
        page.wait_for_function(_FIRST_PAINT)
        return float(page.evaluate(_FIRST_PAINT)), ready


def main() -> None:
    """Print medians and spread."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        draw_catalog(folder)
        photos = len(list(folder.rglob("*.jpg")))
        with serving(folder, Path(name) / "artifacts", photos) as server, chromium() as browser:
            visits = [visit(browser, server.address) for _ in range(ROUNDS)]
    for number, what in enumerate(("first paint", "a photo can be chosen")):
        times = sorted(times[number] for times in visits)
        print(
            f"{what:<22} {statistics.median(times):5.0f} ms "
            f"({times[0]:.0f} to {times[-1]:.0f}, {ROUNDS} first visits)"
        )


if __name__ == "__main__":
    main()

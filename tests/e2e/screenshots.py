"""The README's picture: `python -m tests.e2e.screenshots` draws a catalog, serves it and takes
the screenshot page.png of a photo's results.

With a folder as its argument it writes there the page in two widths, light and dark.
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from lambdas.local.sample.catalog import draw_catalog
from tests.e2e.chromium import chromium
from tests.e2e.serving import serving

PICTURE = Path(__file__).with_name("screenshots") / "page.png"
QUERY = "img/WOMEN/Sweaters/id_00000027/01_2_side.jpg"


def photograph(browser: Browser, address: str, photo: Path, width: int, scheme: str) -> bytes:
    """A PNG of the page with a photo's results."""
    small = width < 600
    context = browser.new_context(
        viewport={"width": width, "height": 780 if small else 900},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=small,
        is_mobile=small,
    )
    page = context.new_page()
    page.goto(address)
    page.set_input_files("#choose", photo)
    page.wait_for_selector("#results[aria-busy=false] .card:not(.waiting)")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    data = page.screenshot()
    context.close()
    return data


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        draw_catalog(folder)
        photos = len(list(folder.rglob("*.jpg")))
        with serving(folder, Path(name) / "artifacts", photos) as server, chromium() as browser:
            address, query = server.address, folder / QUERY
            picture = Image.open(BytesIO(photograph(browser, address, query, 1440, "light")))
            # A palette of 256 colors keeps it under 300 KB, without a visible difference.
            picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
                PICTURE, optimize=True
            )
            for target in map(Path, sys.argv[1:]):
                target.mkdir(parents=True, exist_ok=True)
                for width in (360, 1440):
                    for scheme in ("light", "dark"):
                        data = photograph(browser, address, query, width, scheme)
                        (target / f"{width}-{scheme}.png").write_bytes(data)


if __name__ == "__main__":
    main()

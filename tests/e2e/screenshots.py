"""The README's pictures: `python -m tests.e2e.screenshots` draws a catalog, serves it and takes
the screenshot page.png of a photo's results, and page.gif of a phone: photo, tap, product.

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
ANIMATION = PICTURE.with_suffix(".gif")
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


def film(browser: Browser, address: str, photo: Path) -> list[tuple[bytes, int]]:
    """PNGs of a phone on which a photo is searched with and a product is looked at, each with the
    milliseconds that it stays."""
    shots: list[tuple[bytes, int]] = []
    with browser.new_context(
        viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()

        def shoot(stays: int) -> None:
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(300)
            shots.append((page.screenshot(), stays))

        page.goto(address)
        page.wait_for_selector("#examples li")
        shoot(1_500)
        page.set_input_files("#choose", photo)
        page.wait_for_selector("#results[aria-busy=false] .card:not(.waiting)")
        shoot(2_000)
        page.mouse.wheel(0, 420)
        shoot(1_500)
        page.locator(".card .open").first.tap()
        page.wait_for_selector("#viewer[open]")
        shoot(2_500)
    return shots


def save_film(shots: list[tuple[bytes, int]], target: Path) -> None:
    """Write them as one GIF, at two thirds of their size."""
    frames = [Image.open(BytesIO(data)).convert("RGB") for data, _ in shots]
    small = [frame.resize((260, 520), Image.Resampling.LANCZOS) for frame in frames]
    first, *rest = [frame.quantize(128, dither=Image.Dither.NONE) for frame in small]
    stays = [milliseconds for _, milliseconds in shots]
    first.save(target, save_all=True, append_images=rest, duration=stays, loop=0, optimize=True)


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
            save_film(film(browser, address, query), ANIMATION)
            for target in map(Path, sys.argv[1:]):
                target.mkdir(parents=True, exist_ok=True)
                for width in (360, 1440):
                    for scheme in ("light", "dark"):
                        data = photograph(browser, address, query, width, scheme)
                        (target / f"{width}-{scheme}.png").write_bytes(data)


if __name__ == "__main__":
    main()

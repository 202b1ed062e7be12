"""The programs of docs/api.md for a shop's own server, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import KEY, NODE, ROOT, Shop

pytestmark = pytest.mark.slow

SECTION = (ROOT / "docs/api.md").read_text().partition("## From a shop's backend")[2]
RUNS = {"python": (sys.executable, "products.py"), "js": (str(NODE), "products.mjs")}


def _run(language: str, folder: Path, shop: Shop, photo: Path, key: str = KEY) -> tuple[int, str]:
    """Exit status and output of the section's program in this language."""
    block = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert block is not None
    program, name = RUNS[language]
    (folder / name).write_text(block[1])
    done = subprocess.run(
        [program, name, photo],
        cwd=folder,
        env={**os.environ, "LENS_SERVER": shop.address, "LENS_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("language", RUNS)
def test_it_prints_title_price_and_link_of_the_first_products(
    language: str, tmp_path: Path, shop: Shop
) -> None:
    fields, files = {"top_k": 5, "group": "item"}, {"file": shop.photo.read_bytes()}
    hits = shop.ask("POST", "/api/search-image", data=fields, files=files)["hits"]
    lines = []
    for product in (hit["product"] for hit in hits):
        price = product["sale_price"] or product["price"]
        lines.append([product["title"], price["amount"], price["currency"], product["link"]])
    assert len(lines) > 2 and all(map(all, lines))
    status, printed = _run(language, tmp_path, shop, shop.photo)
    assert (status, [line.split("\t") for line in printed.splitlines()]) == (0, lines)


@pytest.mark.parametrize("language", RUNS)
def test_it_says_why_there_is_no_answer(language: str, tmp_path: Path, shop: Shop) -> None:
    text = tmp_path / "photo.jpg"
    text.write_text("no photo")
    status, printed = _run(language, tmp_path, shop, text)
    assert status == 1 and "400 not_an_image: this is not a photo" in printed
    status, printed = _run(language, tmp_path, shop, shop.photo, key="another")
    assert status == 1 and "401 no_key: this needs a key" in printed


@pytest.mark.parametrize("language", RUNS)
def test_it_is_as_short_as_it_says(language: str) -> None:
    block = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert block is not None and len(block[1].splitlines()) <= 20

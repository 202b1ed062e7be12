"""The table of odd photos as Chromium and the server show them: writes it to docs/catalog.md.

python -m tests.e2e.kinds_table
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from lens.evaluation.color_difference import ciede2000, lab_of
from lens.photos.decoding import decode
from lens.settings import Limits
from tests.e2e.chromium import chromium
from tests.e2e.drawn import drawn
from tests.support.odd_photos import ODD, Odd

PAGE = Path(__file__).parents[2] / "docs" / "catalog.md"
_PART = re.compile(r"(<!-- drawn: kinds -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = "| kind | Chromium's pixels | ours | CIEDE2000 | |\n| --- | --- | --- | --- | --- |\n"


@dataclass(frozen=True)
class Compared:
    """A photo as Chromium shows it and as we do."""

    odd: Odd
    theirs: NDArray[np.uint8] | None
    ours: NDArray[np.uint8]

    @property
    def difference(self) -> float | None:
        """The mean CIEDE2000; None where one is not shown, or lies on its side."""
        if self.theirs is None or self.theirs.shape != self.ours.shape:
            return None
        return float(ciede2000(lab_of(self.theirs), lab_of(self.ours)).mean())

    def cells(self) -> str:
        """The row without its name."""
        said = "" if self.difference is None else f"{self.difference:.1f}"
        return f"{_pixels(self.theirs)} | {_pixels(self.ours)} | {said} | {self.odd.but}"


def compared(page: Page, odd: Odd) -> Compared:
    """One photo, shown by both."""
    photo = odd.make()
    return Compared(odd, drawn(page, photo), np.asarray(decode(photo, Limits())))


def with_table(text: str, rows: str) -> str:
    """The document with the table written anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{_HEAD}{rows}\n{part[2]}", text)


def row_of(name: str, text: str) -> str | None:
    """A kind's row in the document, without its name."""
    found = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", text, re.MULTILINE)
    return found and found[1].strip()


def _pixels(shown: NDArray[np.uint8] | None) -> str:
    """The size, and the mean color, which tells what a turn does not change."""
    if shown is None:
        return "not shown"
    red, green, blue = shown.reshape(-1, 3).mean(0).round().astype(int)
    return f"{shown.shape[1]} x {shown.shape[0]}, mean {red} {green} {blue}"


def _rows() -> Iterator[str]:
    with chromium() as browser:
        page = browser.new_page()
        for name, odd in ODD.items():
            yield f"| {name} | {compared(page, odd).cells()} |\n"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(), "".join(_rows())))

"""Values: a feed's texts as stocks, categories, addresses. A ValueError says what to do."""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import urlsplit

from lens.feed.product import AVAILABILITIES, Availability

_STOCK: dict[str, Availability] = {
    "available": "in_stock",
    "limitedavailability": "in_stock",
    "onlineonly": "in_stock",
    "instoreonly": "in_stock",
    "yes": "in_stock",
    "true": "in_stock",
    "1": "in_stock",
    "soldout": "out_of_stock",
    "discontinued": "out_of_stock",
    "unavailable": "out_of_stock",
    "notavailable": "out_of_stock",
    "no": "out_of_stock",
    "false": "out_of_stock",
    "0": "out_of_stock",
    "presale": "preorder",
    "onbackorder": "backorder",
    "madetoorder": "backorder",
    "availablefororder": "backorder",
}
_GOOGLES = {word.replace("_", ""): word for word in AVAILABILITIES}
_REPEATED = 4_096  # texts that many rows share are read once
# Elements whose text is nobody's description, and those that end a word.
_SILENT = {"script", "style"}


@lru_cache(_REPEATED)
def availability_of(text: str) -> Availability:
    """`in stock`, `in_stock` and the like, by Google's words."""
    word = re.sub(r"[\s_-]+", "", text.lower()).rpartition("/")[2]  # schema.org/InStock
    known = _STOCK.get(word) or _GOOGLES.get(word)
    if known:
        return known
    raise ValueError(f"{shown(text)} is none of {', '.join(AVAILABILITIES)}")


@lru_cache(_REPEATED)
def category_of(text: str) -> str:
    """`Home > Women > Dresses` as a path: `Home/Women/Dresses`."""
    parts = (part.strip() for part in re.split(r"[>/]", text))
    return "/".join(part for part in parts if part)


def address_of(text: str) -> str:
    """An absolute http or https address, blanks in it written as addresses have them."""
    address = text.strip().replace(" ", "%20")
    try:
        parts = urlsplit(address)
        sound = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"{shown(text)} is no address; write it with https:// in front")
    return address


def plain_text(text: str) -> str:
    """A description without its HTML, its blanks and lines as one blank each."""
    if "<" in text or "&" in text:
        reader = _Text()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
    return " ".join(text.split())


class _Text(HTMLParser):
    """Collects what is seen."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT and self._silent > 0
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def shown(text: str) -> str:
    """A text as a message quotes it, however long it is."""
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

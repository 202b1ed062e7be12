"""Values: a feed's texts as prices, stocks, categories, addresses. A ValueError says what to do."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import urlsplit

from lens.feed.product import AVAILABILITIES, Availability, Money

_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "zł": "PLN"}
_MONEY = re.compile(
    r"(?P<before>[A-Za-z]{3}|[^\w\s.,'-]|zł)?\s*"
    r"(?P<amount>\d[\d.,'\u00a0\u202f ]*)\s*"
    r"(?P<after>[A-Za-z]{3}|[^\w\s.,'-]|zł)?"
)
_STOCK: dict[str, Availability] = {
    "available": "in_stock",
    "sold_out": "out_of_stock",
    "pre_order": "preorder",
    "back_order": "backorder",
    "available_for_order": "backorder",
}
_REPEATED = 4_096  # texts that many rows share are read once
# Elements whose text is nobody's description, and those that end a word.
_SILENT = {"script", "style"}


@lru_cache(_REPEATED)
def money_of(text: str) -> Money:
    """`25.00 USD`, `USD 1,299.00`, `1.299,00 €` or `25`."""
    found = _MONEY.fullmatch(text.replace(".-", "").strip())
    if found is None:
        raise ValueError(f"{_shown(text)} is no price; write it as 25.00 USD")
    sign = found["before"] or found["after"] or ""
    if found["before"] and found["after"]:
        raise ValueError(f"{_shown(text)} names two currencies; write it as 25.00 USD")
    currency = _SIGNS.get(sign, sign.upper())
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(f"{sign!r} may be several currencies; write it as 25.00 USD")
    return Money(_amount(found["amount"]), currency)


def _amount(text: str) -> Decimal:
    """The last point or comma is the decimal one, unless three digits follow it: those are
    thousands, as nobody's prices have three decimals."""
    digits = re.sub(r"['\u00a0\u202f ]", "", text).rstrip(".,")
    whole, mark, part = digits, "", ""
    place = max(digits.rfind("."), digits.rfind(","))
    if (place >= 0 and len(digits) - place - 1 != 3) or (place >= 0 and digits.startswith("0")):
        whole, mark, part = digits[:place], ".", digits[place + 1 :]
    return Decimal(re.sub("[.,]", "", whole) + mark + part)


@lru_cache(_REPEATED)
def availability_of(text: str) -> Availability:
    """`in stock`, `in_stock` and the like, by Google's words."""
    word = re.sub(r"[\s-]+", "_", text.strip().lower()).rpartition("/")[2]  # schema.org/InStock
    word = _STOCK.get(word, word)
    for known in AVAILABILITIES:
        if word.replace("_", "") == known.replace("_", ""):
            return known
    raise ValueError(f"{_shown(text)} is none of {', '.join(AVAILABILITIES)}")


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
        raise ValueError(f"{_shown(text)} is no address; write it with https:// in front")
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


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

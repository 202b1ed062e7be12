"""Money: a feed's texts as prices. A ValueError says what to do."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from lens.feed.product import Money
from lens.feed.values import shown

# A sign of several currencies stands for none: the amount is known all the same.
_SIGNS = {
    "€": "EUR",
    "euro": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "zł": "PLN",
    "kč": "CZK",
    "ft": "HUF",
    "tl": "TRY",
    "₺": "TRY",
    "₩": "KRW",
    "₫": "VND",
    "₴": "UAH",
    "₽": "RUB",
    "₱": "PHP",
    "₪": "ILS",
    "฿": "THB",
    "us$": "USD",
    "c$": "CAD",
    "ca$": "CAD",
    "a$": "AUD",
    "au$": "AUD",
    "nz$": "NZD",
    "hk$": "HKD",
    "s$": "SGD",
    "r$": "BRL",
    "$": "",
    "￥": "",
    "kr": "",
    "rs": "",
}
# Their hundredth is a thousandth.
_THOUSANDTHS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
_BLANKS_AND_QUOTES = " \u00a0\u202f'\u2019"
_SIGN = r"[^\W\d_]{1,4}\$?\.?|[^\w\s.,'\u2019()+\u2010-\u2015-]"
_MONEY = re.compile(
    rf"(?P<before>{_SIGN})?\s*(?P<amount>\d[\d.,{_BLANKS_AND_QUOTES}]*)\s*(?P<after>{_SIGN})?"
)
# `25.-` and `25,–` have no cents; marks of writing direction say nothing.
_UNSAID = re.compile(r"[.,][\u2010-\u2015-]+(?!\d)|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_REPEATED = 4_096  # texts that many rows share are read once


@lru_cache(_REPEATED)
def money_of(text: str) -> Money:
    """`25.00 USD`, `USD 1,299.00`, `1.299,00 €` or `25`. An amount with a sign of several
    currencies, `$25.00`, is one without a currency."""
    found = _MONEY.fullmatch(_UNSAID.sub("", text).strip())
    if found is None:
        raise _no_price(text)
    if found["before"] and found["after"]:
        raise ValueError(f"{shown(text)} names two currencies; write it as 25.00 USD")
    currency = _currency(found["before"] or found["after"] or "")
    amount = _amount(found["amount"].strip(_BLANKS_AND_QUOTES), currency or "")
    if currency is None or amount is None:
        raise _no_price(text)
    return Money(amount, currency)


def _currency(sign: str) -> str | None:
    sign = sign.rstrip(".")
    if not sign:
        return ""
    known = _SIGNS.get(sign.lower())
    letters = sign.removesuffix("$").upper()
    return letters if known is None and re.fullmatch("[A-Z]{3}", letters) else known


def _amount(text: str, currency: str) -> Decimal | None:
    """A mark between thousands has three digits after it and may come again; what comes once, last,
    is the decimal one. `1.299` could be either, and is taken for thousands: few currencies have
    three decimals. None for digits that no convention puts so."""
    digits = text.rstrip(".,")
    parts = re.split(rf"[.,{_BLANKS_AND_QUOTES}]", digits)
    marks = [letter for letter in digits if not letter.isdigit()]
    decimals = ""
    if marks and marks[-1] in ".," and marks.count(marks[-1]) == 1:
        thousands = len(marks) == 1 and len(parts[1]) == 3 and len(parts[0]) <= 3
        if not thousands or digits.startswith("0") or currency in _THOUSANDTHS:
            decimals = parts.pop()
            marks.pop()
    first, *groups = parts
    if groups and not (
        len(set(marks)) == 1
        and len(first) <= 3
        and len(groups[-1]) == 3
        and all(len(group) in (2, 3) for group in groups)  # 1,29,900 is India's way
    ):
        return None
    # Magento writes `29.000000`.
    decimals = decimals[:2] + decimals[2:].rstrip("0")
    return Decimal("".join(parts) + (f".{decimals}" if decimals else ""))


def _no_price(text: str) -> ValueError:
    return ValueError(f"{shown(text)} is no price; write it as 25.00 USD")

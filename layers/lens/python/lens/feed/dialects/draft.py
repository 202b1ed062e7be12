"""The draft: a product as some shop's file tells it, in Google's fields, not looked at yet."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lens.feed.money import money_of
from lens.feed.tables import TableRow

_COLOR = re.compile(r"colou?r|farbe|couleur|colore|kleur|väri|färg", re.IGNORECASE)
_NEXT, _NEXT_ADDRESS = re.compile(","), re.compile(r",(?=\s*(?:https?:)?//)", re.IGNORECASE)
_SIZE = re.compile(r"size|gr(ö|oe)(ß|ss)e|taille|talla|taglia|maat|koko|storlek", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """`fields` are texts by Google's names but for pictures, of which `images` has the face first.
    `line` is where it began."""

    line: int
    fields: Mapping[str, str]
    images: tuple[str, ...] = ()


def fingerprint_of(draft: Draft) -> int:
    """64 bits of what a draft says, wherever it stands: of a million, another one has the same with
    a chance of 1 in 18 million million."""
    said = repr((tuple(draft.fields.items()), draft.images)).encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "little")


@dataclass
class Told:
    """What a dialect leaves out on purpose, by reason."""

    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, reason: str) -> None:
        """Count one."""
        self.left_out[reason] = self.left_out.get(reason, 0) + 1


def option_fields(options: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Color and size among named options."""
    found: dict[str, str] = {}
    for name, value in options:
        for wanted, pattern in (("color", _COLOR), ("size", _SIZE)):
            if value and pattern.fullmatch(name.strip()):
                found.setdefault(wanted, value)
    return found


def first_of(row: TableRow, *columns: str) -> str:
    """The first of these columns that says something."""
    return next((row[column] for column in columns if row[column]), "")


def no(text: str) -> bool:
    """Whether a yes-or-no field says no; an empty one says nothing."""
    return text.lower() in {"0", "false", "no", "n", "-1"}


def deepest(paths: str, separator: str) -> str:
    """Of several categories, with commas between, the most particular."""
    return max(paths.split(","), key=lambda path: path.count(separator)).strip()


def pictures_in(text: str) -> list[str]:
    """Several pictures with commas between. An address may have commas in it, as those have that
    say how large a picture is to be; what follows a comma is the next where it begins as one."""
    return (_NEXT_ADDRESS if "//" in text else _NEXT).split(text)


def once(images: Iterable[str]) -> tuple[str, ...]:
    """Pictures without those that came before."""
    return tuple(dict.fromkeys(filter(None, (image.strip() for image in images))))


def sale(price: str, compared: str) -> dict[str, str]:
    """Price and sale price, of what is asked now and what was asked before: no sale is where that
    was not more."""
    try:
        is_sale = money_of(compared).amount > money_of(price).amount
    except ValueError:
        is_sale = False
    return {"price": compared, "sale_price": price} if is_sale else {"price": price}

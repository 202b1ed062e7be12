"""File names: which product a photo's file name begins with, and what of it is only a view."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# What says which view of a product a photo is; each may have a number: `alt2`, `pt01`.
_WORDS = """
    additional alt angle back base bottom close closeup cover detail details face flat front full
    gallery hero inside inner interior label large left main medium model on outfit outside pack
    packshot primary pt profile rear right scaled secondary side small sole still swatch swch thumb
    top variant view worn zoom
    vorne hinten seite rueckseite vorderseite ansicht modell dos devant arriere frente lado espalda
    detalle fronte retro lato dettaglio voor achter zijde
    dsc foto bild image img photo pic picture
"""
_VIEWS = frozenset(_WORDS.split())
_TOKEN = re.compile(r"[^\s_.,()\[\]+~-]+")
_VIEW_NUMBER = re.compile(r"[0-9]{1,3}|[a-z]|\d{2,}x(\d{2,})?")
_WORD_AND_NUMBER = re.compile(r"([^\W\d_]+)\d{0,3}")
# Names that a camera, a phone or a program gives: they number photos, not products.
_CAMERA = re.compile(
    r"(img|dsc[a-z]?|dcim|pxl|mvimg|gopr|dji|scan|screenshot|screen shot|whatsapp|signal|pano|burst"
    r"|fullsizerender)([\s_.-]|image|photo)*e?\d"
    r"|[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}"
    r"|[0-9a-f]{24,}$"
)
_DATE = re.compile(r"(?<!\d)(19|20)\d\d[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
# Numbers that are no product's: years, decades, seasons.
_TIME = re.compile(
    r"(19|20)\d\d|\d0s|(ss|fs|fw|aw|hw|pf|spring|summer|fall|autumn|winter|season|collection)\d{2,4}"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file name says: `whole` is all before the view, `red-boot` of `red-boot_2`, and `code`
    that up to its last number, `mb01` of `mb01-blue-0_alt1`; each empty where there is none."""

    whole: str = ""
    code: str = ""
    number: int | None = None  # the view's
    by_camera: bool = False  # a camera or a program gave the name: it says nothing of a product

    @property
    def variant(self) -> str:
        """What `whole` has after `code`: `blue`."""
        return self.whole[len(self.code) :].strip(" _.-") if self.code else ""


def read_name(stem: str) -> FileName:
    """Read a file's name without its suffix."""
    plain = stem.casefold()
    if _CAMERA.match(plain) or _DATE.search(plain):
        return FileName(by_camera=True)
    ends = [(each[0].casefold(), each.end()) for each in _TOKEN.finditer(stem)]
    left, number = _without_view([token for token, _ in ends])
    if all(_is_view(token) for token, _ in ends[:left]):
        return FileName(number=number)
    code = ""
    for place in range(left - 1, -1, -1):
        token, end = ends[place]
        if _has_code(token) and (place or not _is_view(token)):
            code = stem[:end].strip()
            break
    return FileName(stem[: ends[left - 1][1]].strip(), code, number)


def is_code(name: str) -> bool:
    """Whether a folder is named as a product is by its number: `SKU123`, not `shoes` or `ss24`."""
    tokens = _TOKEN.findall(name.casefold())
    return any(map(_has_code, tokens)) and not all(map(_is_view, tokens))


def _without_view(tokens: Sequence[str]) -> tuple[int, int | None]:
    """How many tokens come before those that tell the view, of which one may be a number or a
    letter; and that number."""
    left, numbered, number = len(tokens), False, None
    while left and _is_view(token := tokens[left - 1]):
        if _VIEW_NUMBER.fullmatch(token):
            if numbered:
                break
            numbered = True
            number = int(token) if token.isdigit() else None
        left -= 1
    return left, number


# Colors, views and numbers come again and again.
@lru_cache(4_096)
def _is_view(token: str) -> bool:
    if _VIEW_NUMBER.fullmatch(token):
        return True
    word = _WORD_AND_NUMBER.fullmatch(token)
    return word is not None and word[1] in _VIEWS


def _has_code(token: str) -> bool:
    return any(sign.isdigit() for sign in token) and not _TIME.fullmatch(token)

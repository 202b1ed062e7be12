"""The cursor: a text that goes on with its own search alone, in its own state.

Covers: cursor, wanted.
"""

from __future__ import annotations

import random
import re
import string

import pytest

from lens.errors import CursorError, SearchAgainError
from lens.search.cursor import Cursor, parse_cursor
from lens.search.wanted import Wanted


def test_a_cursor_survives_its_text_which_an_address_may_hold() -> None:
    first = Wanted(top_k=5).place("photo", "abc", state="s")
    for cursor in (first, first.next(), first.next().next()):
        text = str(cursor)
        assert re.fullmatch(r"[A-Za-z0-9_-]{20,60}", text)
        assert parse_cursor(text) == cursor


def test_every_damage_is_noticed() -> None:
    text = str(Wanted().place("photo", "abc", state="s").next())
    for at, letter in enumerate(text):
        for other in string.ascii_letters + string.digits + "-_=é ":
            if other != letter:
                with pytest.raises(CursorError, match="damaged"):
                    parse_cursor(text[:at] + other + text[at + 1 :])
    for other in ("", "x", text[:-1], text[1:], text + "A", text + text, f" {text}", "é" * 32):
        with pytest.raises(CursorError, match="damaged"):
            parse_cursor(other)


def test_foreign_texts_are_no_cursors() -> None:
    chance = random.Random(3)
    for _ in range(2_000):
        with pytest.raises(CursorError):
            parse_cursor("".join(chance.choices(string.ascii_letters, k=chance.randrange(64))))


def test_a_cursor_goes_on_with_its_own_search_alone() -> None:
    wanted = Wanted(top_k=5, category="A", group="item")
    after = wanted.place("photo", "abc", state="s").next()

    def go_on(wanted: Wanted, *sought: str, state: str = "s") -> Cursor:
        return wanted.place(*sought, state=state)

    def then(**other: object) -> Wanted:
        fields = {"top_k": 5, "category": "A", "group": "item", "after": after, **other}
        return Wanted(**fields)  # type: ignore[arg-type]

    assert go_on(then(), "photo", "abc") == after
    assert go_on(then(facets=("brand",)), "photo", "abc") == after
    for other in (then(top_k=6), then(category=None), then(group="photo")):
        with pytest.raises(CursorError, match="another search"):
            go_on(other, "photo", "abc")
    with pytest.raises(CursorError, match="another search"):
        go_on(then(), "photo", "abd")
    with pytest.raises(SearchAgainError, match="search again"):
        go_on(then(), "photo", "abc", state="t")

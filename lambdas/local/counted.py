"""Counted: a number and what it is of, as people read it."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """`1 photo`, `1,143 photos`; `several` where it is not the word with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"

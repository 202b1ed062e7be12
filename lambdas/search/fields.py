"""Fields: what a request may name, and what it is told when it names something else."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import ImmutableMultiDict


def refuse_others(
    given: ImmutableMultiDict[str, Any], known: Sequence[str] = (), repeated: Sequence[str] = ()
) -> None:
    """What is sent under another name or twice would be ignored, and something else answered than
    was asked. Raises RequestValidationError for the first."""
    for name in given:
        if name not in known:
            near = get_close_matches(name.lower(), known, 1)
            there = f"there are: {', '.join(known)}" if known else "there are none"
            raise invalid(
                name, f"there is no such field; {f'did you mean {near[0]}?' if near else there}"
            )
    for name in known:
        if name not in repeated and len(given.getlist(name)) > 1:
            raise invalid(name, "send it once")


def encodable(text: str | None) -> str | None:
    """ValueError for half a character, which UTF-7 and similar encodings can name."""
    if text is not None:
        text.encode()
    return text


def invalid(field: str, message: str) -> RequestValidationError:
    """The error of a field that cannot be used."""
    return RequestValidationError([{"loc": ("body", field), "msg": message}])

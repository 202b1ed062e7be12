"""Fields: what a request may name, and what it is told when it names something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from fastapi.exceptions import RequestValidationError


def refuse_other_names(given: Iterable[str], known: Sequence[str]) -> None:
    """A name that is not known would be ignored, and something else answered than was asked.
    Raises RequestValidationError for the first."""
    for name in given:
        if name not in known:
            near = get_close_matches(name.lower(), known, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise invalid(name, f"there is no such field; {meant}")


def encodable(text: str | None) -> str | None:
    """ValueError for half a character, which UTF-7 and similar encodings can name."""
    if text is not None:
        text.encode()
    return text


def invalid(field: str, message: str) -> RequestValidationError:
    """The error of a field that cannot be used."""
    return RequestValidationError([{"loc": ("body", field), "msg": message}])

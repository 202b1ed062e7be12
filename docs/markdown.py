"""Markdown of what the generator found: tables, blocks, and what is in their cells."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic.fields import FieldInfo


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; an empty cell takes one space."""
    lines = [head, ["---"] * len(head), *rows]
    escaped = ([str(cell).strip().replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |".replace("  |", " |") for line in escaped)


def block(text: str) -> str:
    """Text as it is."""
    return "\n".join(["```text", *(line.rstrip() for line in text.rstrip().splitlines()), "```"])


def default(field: FieldInfo) -> str:
    """A setting's default; nothing where it is empty."""
    return f"`{field.default}`" if field.default not in ("", ()) else ""


def allowed(field: FieldInfo) -> str:
    """A setting's choices, or its bounds."""
    signs = {"ge": "≥", "gt": ">", "le": "≤"}
    bounds = (
        f"{signs[name]} {getattr(mark, name):,}"
        for mark in field.metadata
        for name in signs
        if getattr(mark, name, None) is not None
    )
    return ", ".join([*(f"`{each}`" for each in get_args(field.annotation)), *bounds])


def limits(schema: dict[str, Any]) -> str:
    """What OpenAPI says of a parameter."""
    bounds = [f"{schema[name]:g}" for name in ("minimum", "maximum") if name in schema]
    else_ = f"default {schema['default']}" if schema.get("default") is not None else ""
    return ", ".join(filter(None, (schema.get("description"), " to ".join(bounds), else_)))

"""Breaking: a benchmark that fails."""

from __future__ import annotations

from typing import Any


def run(quick: bool) -> dict[str, Any]:
    """Fails."""
    raise RuntimeError("no photos here")


def table(figures: dict[str, Any]) -> str:
    """Never asked for."""
    raise AssertionError

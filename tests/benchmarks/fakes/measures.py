"""Measuring: a benchmark that comes to an end."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.report import Row


def run(quick: bool) -> dict[str, Any]:
    """One figure, and whether it was asked quickly."""
    print("noise of a library")
    return {"figure": 42, "quick": quick}


def rows(figures: dict[str, Any]) -> list[Row]:
    """One line of the one table."""
    return [Row("an answer", str(figures["figure"]), "7", "6", "6x", "≥ 5x")]


def table(figures: dict[str, Any]) -> str:
    """A sentence."""
    return f"The answer is {figures['figure']}."

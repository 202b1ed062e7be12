"""Counted: one, several and thousands."""

from __future__ import annotations

import pytest

from lambdas.local.counted import counted


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 categories"), (1, "1 category"), (1_143, "1,143 categories")],
)
def test_the_word_fits_the_number(number: int, told: str) -> None:
    assert counted(number, "category", "categories") == told
    assert counted(2, "photo") == "2 photos"

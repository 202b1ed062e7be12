"""The scope: a category is understood as people type it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unicodedata import normalize

import pytest

from lens.search.scope import category_of

NFD = normalize("NFD", "Vêtements/Robes d'été")
GALLERY: Any = SimpleNamespace(categories={"WOMEN/Dresses": 1, NFD: 1})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("WOMEN", "WOMEN"),
        ("WOMEN/", "WOMEN"),
        ("WOMEN/Dresses/", "WOMEN/Dresses"),
        ("Vêtements", NFD.split("/")[0]),
        ("Vêtements/Robes d'été/", NFD),
        (NFD, NFD),
        ("Vête", "Vête"),
    ],
)
def test_a_category_is_found_in_either_form_of_unicode_and_with_a_slash(
    typed: str, meant: str
) -> None:
    assert category_of(GALLERY, normalize("NFC", typed) if typed != NFD else typed) == meant

"""The language that a reader gets, and the numbers in it. Covers: language.js, numbers.js."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import NODE, ROOT, needed, output

PROGRAM = Path(__file__).with_name("language.mjs")


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(output([needed(NODE), PROGRAM], ROOT))
    return told


def test_the_first_language_that_has_words_is_chosen_with_its_region(told: dict[str, Any]) -> None:
    assert [(one["tag"], one["language"]) for one in told["chosen"]] == [
        ("de-CH", "de"),
        ("fr-CA", "fr"),
        ("en", "en"),
        ("en", "en"),
        ("en", "en"),
        ("fr-FR", "fr"),
        ("de", "de"),
    ]


def test_numbers_and_prices_are_written_as_in_the_readers_region(told: dict[str, Any]) -> None:
    written = {
        locale: [of[name] for name in ("number", "percent", "decimal", "whole", "price", "plain")]
        for locale, of in told["numbers"].items()
    }
    assert written == {
        "en-US": ["1,142", "45%", "0.80", "€1,249", "€49.90", "49.90"],
        "de-DE": ["1.142", "45\u00a0%", "0,80", "1.249\u00a0€", "49,90\u00a0€", "49,90"],
        "de-CH": ["1'142", "45%", "0.80", "EUR\u00a01'249", "EUR\u00a049.90", "49.90"],
        "fr-FR": ["1\u202f142", "45\u00a0%", "0,80", "1\u202f249\u00a0€", "49,90\u00a0€", "49,90"],
        "fr-CA": ["1\u00a0142", "45\u00a0%", "0,80", "1\u00a0249\u00a0€", "49,90\u00a0€", "49,90"],
    }


def test_a_currency_that_nobody_knows_is_told_as_the_shop_has_it(told: dict[str, Any]) -> None:
    assert told["odd"] == "49.90 taler"


def test_each_language_has_its_own_plurals(told: dict[str, Any]) -> None:
    counts = {locale: of["counts"] for locale, of in told["numbers"].items() if of["counts"]}
    assert counts == {
        "en-US": ["0 photos", "1 photo", "2 photos", "1,000,000 photos"],
        "de-DE": ["0 Fotos", "1 Foto", "2 Fotos", "1.000.000 Fotos"],
        "fr-FR": ["0 photo", "1 photo", "2 photos", "1\u202f000\u202f000 de photos"],
    }
    assert told["polish"] == ["1 jeden", "3 kilka", "5 wiele"]

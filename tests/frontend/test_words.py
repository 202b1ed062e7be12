"""The words of the page: every language says the same, nothing is left in English, and no word is
anywhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import NODE, ROOT, needed, output

FRONTEND = ROOT / "frontend"
LANGUAGES = ("de", "fr")
PROGRAM = Path(__file__).with_name("words.mjs")
# What is the same in English and in another language, and why.
SAME = {
    "words.name": "a name",
    "chip": "no word in it",
    "amount": "no word in it",
    "menu": "no word in it",
    "NAMES.Leggings": "the usual word in German and French",
    "NAMES.Shorts": "the usual word in German and French",
}
Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def told() -> dict[str, Told]:
    """For each language and name: its kind, what it says, and which of its arguments."""
    told: dict[str, Told] = json.loads(output([needed(NODE), PROGRAM], ROOT))
    return told


def missing(told: dict[str, Told], language: str) -> list[str]:
    """What a language's file lacks, as lines that say what to add where."""
    there, english = told[language], told["en"]
    file = f"frontend/words/{language}.js"
    lines = [f"{file} has {name}, which en.js lacks" for name in there if name not in english]
    for name, one in english.items():
        if name not in there:
            lines.append(f"{file} lacks {name}, in English: {one['says']}")
        elif there[name]["kind"] != one["kind"]:
            lines.append(f"{file}: {name} is a {there[name]['kind']}, in en.js a {one['kind']}")
    return sorted(lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words(told: dict[str, Told], language: str) -> None:
    assert missing(told, language) == []


def test_a_word_that_one_language_lacks_is_named_with_its_file(told: dict[str, Told]) -> None:
    lacking = {"en": told["en"], "de": {**told["de"]}}
    del lacking["de"]["words.close"]
    lacking["de"]["gallerySize"] = told["de"]["sending"] | {"kind": "function of 2"}
    assert missing(lacking, "de") == [
        "frontend/words/de.js lacks words.close, in English: ['Close']",
        "frontend/words/de.js: gallerySize is a function of 2, in en.js a function of 1",
    ]


def test_every_file_of_words_is_a_language_that_can_be_chosen(told: dict[str, Told]) -> None:
    assert {path.stem for path in (FRONTEND / "words").iterdir()} == set(told)
    assert set(told) == {"en", *LANGUAGES}
    assert {language: there["language"]["says"] for language, there in told.items()} == {
        language: [language] for language in told
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_english(told: dict[str, Told], language: str) -> None:
    english = told["en"]
    left = [
        f"frontend/words/{language}.js: {name} is still English: {one['says']}"
        for name, one in told[language].items()
        if name in english and name not in SAME
        if one.get("source", one["says"]) == english[name].get("source", english[name]["says"])
    ]
    assert left == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_says_all_that_english_says(told: dict[str, Told], language: str) -> None:
    english = told["en"]
    silent = [
        f"frontend/words/{language}.js: {name} tells {one['marks']}, not {english[name]['marks']}"
        for name, one in told[language].items()
        if "marks" in one and name in english and one["marks"] != english[name].get("marks")
    ]
    assert silent == []


def texts(told: Told) -> Iterator[tuple[str, str]]:
    for name, one in told.items():
        for text in one["says"]:
            yield name, text


def test_french_has_its_narrow_spaces_and_quotation_marks(told: dict[str, Told]) -> None:
    wrong = [
        f"{name}: {text!r}"
        for name, text in texts(told["fr"])
        if re.search(r"(?<!\u202f)[:;!?»]|«(?!\u202f)|['\"]| …", text)
    ]
    assert wrong == []


def test_german_has_its_quotation_marks_and_speaks_to_nobody_as_du(told: dict[str, Told]) -> None:
    wrong = [
        f"{name}: {text!r}"
        for name, text in texts(told["de"])
        if re.search(r"['\"”»«]|\b(du|dich|dir|dein\w*)\b", text, re.IGNORECASE)
        or text.count("„") != text.count("“")
    ]
    assert wrong == []


# ---- no word is anywhere else


def modules() -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(FRONTEND.glob("*.js"))}


def used() -> dict[str, str]:
    """Each name that the page says, with a file that does."""
    found = {}
    for file, text in {**modules(), "index.html": (FRONTEND / "index.html").read_text()}.items():
        for name in re.findall(r"\bsay\.((?:words\.)?\w+)", text):
            found[name] = file
        for name in re.findall(r'data-(?:words|label|title)="(\w+)"', text):
            found[f"words.{name}"] = file
    found.pop("words", None)
    return found


def test_what_the_page_says_has_words_and_no_words_are_unsaid(told: dict[str, Told]) -> None:
    there = {name if name.startswith("words.") else name.split(".")[0] for name in told["en"]}
    asked = used()
    assert [f"{asked[name]} says {name}" for name in sorted(asked.keys() - there)] == []
    within = re.findall(r"\b(\w+)[\[(]", (FRONTEND / "words/en.js").read_text())
    assert sorted(there - asked.keys() - set(within)) == [], "nobody says it"


def test_a_module_that_says_something_imports_the_words() -> None:
    for file, text in modules().items():
        told, imported = "say." in text, 'import { say } from "./language.js";' in text
        assert told == imported or file == "language.js", file


def test_the_markup_has_no_word_of_its_own() -> None:
    for file, text in markup().items():
        text = re.sub(r"<!--.*?-->|<(noscript|title)\b.*?</\1>", "", text, flags=re.S)
        assert re.sub(r"<[^>]+>", "", text).split() == [], file
        shown = (
            r'(?<![\w-])(?:alt|title|placeholder|aria-(?:label|\w*description|valuetext))="[^"]+"'
        )
        assert re.findall(shown, text) == [], file


def markup() -> dict[str, str]:
    """The page's HTML, wherever it is."""
    html = {"index.html": (FRONTEND / "index.html").read_text()}
    for file, text in modules().items():
        for number, part in enumerate(re.findall(r"/\* html \*/ `(.*?)`", text, re.S)):
            html[f"{file} {number}"] = part
    return html


def test_no_module_has_a_word_of_its_own() -> None:
    found = [f"{file}: {literal}" for file, text in modules().items() for literal in spoken(text)]
    assert found == []


def spoken(text: str) -> list[str]:
    """Literals of a module that a person would read: put where text is shown, or sentences."""
    text = re.sub(r"/\* html \*/ `.*?`", "", text, flags=re.S)
    text = re.sub(r"/\*.*?\*/|(?<![:\w])//[^\n]*", "", text, flags=re.S)
    shown = r"(?:textContent|innerText|ariaLabel|ariaDescription|title|alt|placeholder)\s*[:=]\s*"
    return [
        *re.findall(shown + r"""(["'`]\w[^"'`\n]*["'`])""", text),
        *re.findall(r"""(["'`][A-Z][a-z]+,? [a-z][^"'`\n]*["'`])""", text),
    ]


def test_a_word_in_a_module_is_noticed() -> None:
    assert spoken('element.textContent = "Close";') == ['"Close"']
    assert spoken("tell('Nothing found')") == ["'Nothing found'"]
    assert spoken('element.className = "card waiting"; // "Nothing found"') == []

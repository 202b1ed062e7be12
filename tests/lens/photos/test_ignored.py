"""`.lensignore`: gitignore's syntax, read again when it changes; a bad line costs itself."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from lens.photos.catalog import Catalog
from lens.photos.ignored import IGNORE_KEY, parse_ignored
from lens.storage import FileStorage


@pytest.mark.parametrize(
    ("pattern", "key", "left_out"),
    [
        ("swatches/", "shop/swatches/red.jpg", True),
        ("/swatches/", "shop/swatches/red.jpg", False),
        ("*_draft.jpg", "a/b_draft.jpg", True),
        ("*_draft.jpg\n!keep_draft.jpg", "a/keep_draft.jpg", False),
        ("a/**/x.jpg", "a/b/c/x.jpg", True),
        ("# a.jpg\n\n", "a.jpg", False),
        ("\ufeffa.jpg", "a.jpg", True),
        ("e\u0301t\u00e9/", "\u00e9te\u0301/a.jpg", True),
    ],
)
def test_patterns_are_gitignore_s(pattern: str, key: str, left_out: bool) -> None:
    assert parse_ignored(pattern).has(key) == left_out


def test_a_bad_line_costs_itself_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ignored = parse_ignored("a.jpg\n!\nb.jpg\n")
    assert ignored.has("a.jpg") and ignored.has("b.jpg")
    assert ignored.bad_lines == ("line 2: '!'",)
    assert "line 2: '!'" in caplog.text


def test_a_catalog_s_photos_change_with_the_file(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    for key in ("a.jpg", "draft/b.jpg"):
        storage.write(key, b"x")
    catalog = Catalog(storage)

    def photos() -> list[str]:
        return [info.key for info in catalog.photos()]

    assert photos() == ["a.jpg", "draft/b.jpg"]
    for lines, left in ((b"draft/", ["a.jpg"]), (b"a.jpg", ["draft/b.jpg"])):
        (tmp_path / IGNORE_KEY).write_bytes(lines)
        assert photos() == left
    (tmp_path / IGNORE_KEY).unlink()
    assert photos() == ["a.jpg", "draft/b.jpg"]

"""Layout: spans of categories and look-ups, against naive loops over the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lens.gallery.layout import Layout, by_category, lay_out
from lens.gallery.rows import Kind, Row, Rows
from tests.support.small_galleries import gone, photo

CATEGORIES = ["", "A", "A/B", "A-B", "A/B/C", "AB", "B"]


def laid_out(categories: list[str]) -> tuple[list[Row], Rows, Layout]:
    """Rows sorted by key, with a tombstone between, and their layout."""
    found = [
        photo(f"{i:03d}", "1", category=name, photo_id=f"p{i % 3}")
        for i, name in enumerate(categories)
    ]
    found.insert(len(found) // 2, gone("001x", "1"))
    found.sort(key=lambda row: row.key)
    rows = Rows.of(found)
    photos, names, starts = by_category(rows)
    return found, rows, lay_out(rows, photos, names, starts)


@given(st.lists(st.sampled_from(CATEGORIES), max_size=30), st.sampled_from(CATEGORIES[1:]))
def test_a_category_s_span_is_its_photos_and_those_of_all_under_it(
    categories: list[str], asked: str
) -> None:
    found, _, layout = laid_out(categories)
    span = layout.span(asked)
    inside = {found[row].key for row in layout.rows_at[span.start : span.stop]}
    assert inside == {
        row.key
        for row in found
        if row.kind == Kind.PHOTO
        and (row.category == asked or row.category.startswith(f"{asked}/"))
    }


@given(st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=30))
def test_counts_and_first_rows_leave_out_the_dead(categories: list[str]) -> None:
    found, _, layout = laid_out(categories)
    positions = range(len(layout.rows_at))
    dead = np.array([p for p in positions if hash((p, len(categories))) % 3 == 0], np.intp)
    alive = [found[layout.rows_at[p]] for p in positions if p not in dead]
    for number, name in enumerate(layout.categories.tolist()):
        mine = sorted(row.key for row in alive if row.category.encode() == name)
        assert layout.counts(dead)[number] == len(mine)
        if mine:
            assert found[layout.first_row(number, dead)].key == mine[0]


@given(st.lists(st.sampled_from(CATEGORIES), max_size=30))
def test_photos_are_found_by_item_and_by_id_in_key_order(categories: list[str]) -> None:
    found, rows, layout = laid_out(categories)
    for column in ("item_id", "photo_id"):
        for value in ("p0", "p1", "001", "nobody's"):
            expected = [
                row.key for row in found if row.kind == Kind.PHOTO and getattr(row, column) == value
            ]
            at = layout.find(rows, column, value.encode())
            assert [found[position].key for position in at] == expected


def test_a_layout_is_read_as_it_was_written() -> None:
    _, rows, layout = laid_out(CATEGORIES * 2)
    read = Layout.of(layout.arrays())
    read.check(rows)
    assert read == layout


@pytest.mark.parametrize(
    "name",
    ["rows_at", "position_of", "categories", "starts", "firsts", "by_item", "by_photo"],
)
def test_a_part_of_another_kind_or_length_is_told(name: str) -> None:
    _, _, layout = laid_out(CATEGORIES * 2)
    arrays = layout.arrays()
    part = arrays[f"layout_{name}"]
    odd = [part[:, None], part.astype(np.float64 if name != "categories" else "U")]
    if name != "position_of":  # of as many as there are rows, which it does not know
        odd.append(part[1:])
    for each in odd:
        with pytest.raises(ValueError, match="layout_"):
            Layout.of({**arrays, f"layout_{name}": each})


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("by_item", lambda part: np.repeat(part[:1], len(part)), "every photo once"),
        ("by_item", lambda part: part[::-1], "not sorted by item_id"),
        ("by_photo", lambda part: part[::-1], "not sorted by photo_id"),
        ("position_of", lambda part: part[::-1], "positions are not those"),
        ("starts", lambda part: part + 1, "do not cover it"),
        ("starts", lambda part: part[::-1], "do not cover it"),
        ("categories", lambda part: part[::-1], "another category"),
        ("firsts", lambda part: part * 0 + 2, "begins at no photo"),
    ],
)
def test_a_layout_of_other_rows_is_told(
    name: str, change: Callable[[NDArray[Any]], NDArray[Any]], message: str
) -> None:
    _, rows, layout = laid_out(CATEGORIES * 2)
    arrays = layout.arrays()
    arrays[f"layout_{name}"] = change(arrays[f"layout_{name}"])
    with pytest.raises(ValueError, match=message):
        Layout.of(arrays).check(rows)

"""Layout: spans of categories and look-ups, against naive loops over the rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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

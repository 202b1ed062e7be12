"""Rows: which look at a key wins, against a naive oracle."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from lens.gallery.rows import Kind, Row, Rows, keepers, winners
from lens.gallery.versions import UNSEEN, Version
from tests.support.small_galleries import gone, photo

rows_of_few_keys = st.lists(
    st.builds(
        Row,
        key=st.sampled_from(["a", "b", "ü/c"]),
        version=st.builds(Version, st.sampled_from(["", "1", "1F", "2"]), st.integers(0, 2)),
        kind=st.sampled_from(Kind),
        looked_at=st.sampled_from([1.0, 2.0, 3.0]),
        photo_id=st.sampled_from(["p", "q"]),
        **{name: st.just("") for name in ("etag", "item_id", "category", "reason")},
    ),
    max_size=12,
)


def order(row: Row) -> tuple[object, ...]:
    return row.version, row.looked_at, row.kind, row.etag, row.photo_id


def test_a_late_create_does_not_resurrect_a_deleted_photo() -> None:
    rows = Rows.of([gone("a", "2"), photo("a", "1")])
    assert rows[winners(rows)[0]].kind == Kind.TOMBSTONE


def test_sequencers_compare_as_if_padded_to_one_length() -> None:
    assert Version.of_event("0A") > Version.of_event("09F")
    assert Version.of_event("0a00") == Version.of_event("0A")
    assert UNSEEN < UNSEEN.bumped() < Version.of_event("01")


def test_a_reconciled_row_is_above_what_it_saw_and_below_the_next_event() -> None:
    assert Version.of_event("1") < Version.of_event("1").bumped() < Version.of_event("1001")


def test_the_later_of_two_looks_under_one_version_wins() -> None:
    early, late = photo("a", "1", photo_id="p", at=1.0), photo("a", "1", photo_id="q", at=2.0)
    for pair in ([early, late], [late, early]):
        rows = Rows.of(pair)
        assert rows[winners(rows)[0]] == late


@given(rows_of_few_keys, st.randoms(use_true_random=False))
def test_each_keys_highest_row_wins_in_whatever_order_rows_come(
    rows: list[Row], chance: random.Random
) -> None:
    expected = [
        max((r for r in rows if r.key == k), key=order) for k in sorted({r.key for r in rows})
    ]
    chance.shuffle(rows)
    columns = Rows.of(rows)
    assert [columns[position] for position in winners(columns)] == expected


@given(rows_of_few_keys)
def test_compaction_keeps_winners_and_newest_tombstones_until_they_expire(rows: list[Row]) -> None:
    expected = set()
    for key in {row.key for row in rows}:
        mine = [row for row in rows if row.key == key]
        tombstones = [row for row in mine if row.kind == Kind.TOMBSTONE]
        expected |= {max(each, key=order) for each in (mine, tombstones) if each}
    expected = {row for row in expected if row.kind != Kind.TOMBSTONE or row.looked_at >= 2.0}
    columns = Rows.of(rows)
    kept = [columns[position] for position in keepers(columns, tombstones_since=2.0)]
    assert set(kept) == expected
    assert kept == sorted(kept, key=lambda row: (row.key.encode(), order(row)))

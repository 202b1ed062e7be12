"""Rows: which look at a key wins, against a naive oracle."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from lens.gallery.rows import Kind, Row, Rows, keepers, still_waiting, winners
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
    told = row.kind != Kind.WAITING
    return told, row.version, row.looked_at, row.kind, row.etag, row.photo_id


def waits(rows: list[Row]) -> Row | None:
    """What of one key's rows still waits."""
    newest = max((row.version, row.looked_at) for row in rows)
    last = [row for row in rows if (row.version, row.looked_at) == newest]
    return max(last, key=order) if all(row.kind == Kind.WAITING for row in last) else None


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


def waiting(key: str, sequencer: str) -> Row:
    return Row(key, Version.of_event(sequencer), Kind.WAITING, 1.0, reason="locked")


def test_what_waits_beats_no_photo_and_brings_none_back() -> None:
    known = [photo("a", "1"), waiting("a", "2")]
    assert [Rows.of(known)[i].kind for i in winners(Rows.of(known))] == [Kind.PHOTO]
    back = [photo("a", "1"), gone("a", "2"), waiting("a", "3")]
    assert [Rows.of(back)[i].kind for i in winners(Rows.of(back))] == [Kind.TOMBSTONE]
    assert [Rows.of(back)[i] for i in still_waiting(Rows.of(back))] == [back[2]]


def test_what_was_read_later_waits_no_more() -> None:
    for later in (photo("a", "3"), gone("a", "3")):
        assert len(still_waiting(Rows.of([waiting("a", "2"), later]))) == 0


@given(rows_of_few_keys)
def test_of_each_key_the_newest_look_says_whether_it_waits(rows: list[Row]) -> None:
    keys = sorted({row.key for row in rows}, key=str.encode)
    expected = [waits([row for row in rows if row.key == key]) for key in keys]
    columns = Rows.of(rows)
    found = [columns[position] for position in still_waiting(columns)]
    assert [(row.key, row.version, row.looked_at) for row in found] == [
        (row.key, row.version, row.looked_at) for row in expected if row
    ]


@given(rows_of_few_keys)
def test_compaction_keeps_winners_and_newest_tombstones_until_they_expire(rows: list[Row]) -> None:
    expected = set()
    for key in {row.key for row in rows}:
        mine = [row for row in rows if row.key == key]
        tombstones = [row for row in mine if row.kind == Kind.TOMBSTONE]
        expected |= {max(each, key=order) for each in (mine, tombstones) if each}
        expected |= {row for row in (waits(mine),) if row}
    expected = {row for row in expected if row.kind != Kind.TOMBSTONE or row.looked_at >= 2.0}
    columns = Rows.of(rows)
    kept = [columns[position] for position in keepers(columns, tombstones_since=2.0)]
    assert set(kept) == expected
    assert kept == sorted(kept, key=lambda row: (row.key.encode(), order(row)))

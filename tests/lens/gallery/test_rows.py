"""Rows: which look at a key wins, against a naive oracle."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lens.gallery.rows import (
    EMPTY_ROWS,
    OF_LISTINGS,
    Cause,
    Kind,
    Row,
    Rows,
    among,
    caused_by,
    keepers,
    order_by_version,
    still_waiting,
    winners,
)
from lens.gallery.versions import UNSEEN, Version
from tests.support.small_galleries import gone, photo

# A tombstone's cause is told by its photo's id, which is compared: rows that are equal but for it
# would win by chance.
CAUSES = {"p": Cause.LISTING, "q": Cause.EVENT, "r": Cause.ALLOWED}


def caused(row: Row) -> Row:
    return row._replace(reason=CAUSES[row.photo_id] if row.kind == Kind.TOMBSTONE else "")


rows_of_few_keys = st.lists(
    st.builds(
        Row,
        key=st.sampled_from(["a", "b", "ü/c"]),
        version=st.builds(Version, st.sampled_from(["", "1", "1F", "2"]), st.integers(0, 2)),
        kind=st.sampled_from(Kind),
        looked_at=st.sampled_from([1.0, 2.0, 3.0]),
        photo_id=st.sampled_from([*CAUSES]),
        **{name: st.just("") for name in ("etag", "item_id", "category", "reason")},
    ).map(caused),
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
def test_compaction_keeps_winners_and_the_last_tombstones_until_they_expire(
    rows: list[Row],
) -> None:
    expected: set[Row] = set()
    for key in {row.key for row in rows}:
        mine = [row for row in rows if row.key == key]
        tombstones = [row for row in mine if row.kind == Kind.TOMBSTONE]
        told = [row for row in tombstones if row.reason not in OF_LISTINGS]
        expected |= {max(mine, key=order)}
        expected |= {
            max(each, key=lambda row: (row.looked_at, *order(row)))
            for each in (tombstones, told)
            if each
        }
        expected |= {row for row in (waits(mine),) if row}
    expected = {row for row in expected if row.kind != Kind.TOMBSTONE or row.looked_at >= 2.0}
    columns = Rows.of(rows)
    kept = [columns[position] for position in keepers(columns, tombstones_since=2.0)]
    assert set(kept) == expected
    assert kept == sorted(kept, key=lambda row: (row.key.encode(), order(row)))


def test_a_clock_that_was_set_back_hides_no_deletion_from_a_pin() -> None:
    """The newest tombstone was looked at by a slow clock, before the photo that a pin shows."""
    deleted, again = gone("a", "2", at=5.0), gone("a", "4", at=1.0)
    rows = Rows.of([photo("a", "1", at=3.0), deleted, again, photo("a", "5", at=6.0)])
    kept = [rows[position] for position in keepers(rows, tombstones_since=0.0)]
    assert kept == [deleted, photo("a", "5", at=6.0)]


def test_what_a_rollback_may_undo_hides_no_takedown_from_it() -> None:
    """The newest tombstone is of a listing; an older one is not, and outlives it."""
    taken = gone("a", "2")._replace(reason=Cause.TAKEDOWN)
    listed = gone("a", "3")._replace(reason=Cause.LISTING)
    rows = Rows.of([photo("a", "1"), taken, listed, photo("a", "4")])
    kept = [rows[position] for position in keepers(rows, tombstones_since=0.0)]
    assert kept == [taken, listed, photo("a", "4")]
    assert caused_by(rows, OF_LISTINGS).tolist() == [False, False, True, False]


def test_kinds_are_stored_as_these_numbers() -> None:
    assert {kind.name: int(kind) for kind in Kind} == {
        "PHOTO": 0,
        "REJECTION": 1,
        "TOMBSTONE": 2,
        "WAITING": 3,
    }


def test_text_takes_as_many_bytes_as_the_longest_and_one_where_there_is_none() -> None:
    assert {column.dtype for column in columns(EMPTY_ROWS, "S").values()} == {np.dtype("S1")}
    rows = Rows.of([photo("ü", "1"), photo("abcd", "1")])
    assert (rows.key.dtype, rows.reason.dtype) == (np.dtype("S4"), np.dtype("S1"))


def columns(rows: Rows, kind: str) -> dict[str, NDArray[Any]]:
    return {name: each for name, each in rows.columns().items() if each.dtype.kind == kind}


def test_what_was_written_as_columns_is_read_again() -> None:
    rows = [photo("ü x", "1", category="c"), gone("b", "2"), waiting("c", "3")]
    read = Rows.read(Rows.of(rows).columns())
    assert [read[position] for position in range(len(read))] == rows
    read.check()
    EMPTY_ROWS.check()
    assert len(EMPTY_ROWS) == 0


@pytest.mark.parametrize("name", Rows.of([]).columns())
def test_a_column_that_lacks_is_named(name: str) -> None:
    arrays = Rows.of([photo("a", "1")]).columns()
    del arrays[name]
    with pytest.raises(KeyError, match=name):
        Rows.read(arrays)


@pytest.mark.parametrize("name", Rows.of([]).columns())
@pytest.mark.parametrize(
    "change",
    [
        lambda column: column.astype("U8" if column.dtype.kind == "S" else "i8"),
        lambda column: column.reshape(1, -1),
        lambda column: column[:1],
    ],
    ids=["of another kind", "of two dimensions", "shorter"],
)
def test_a_column_that_is_no_column_of_rows_is_refused(name: str, change: Any) -> None:
    arrays = Rows.of([photo("a", "1"), photo("b", "1")]).columns()
    arrays[name] = change(arrays[name])
    with pytest.raises(ValueError, match="is "):
        Rows.read(arrays)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kind", 4, "the unknown kind 4"),
        ("looked_at", np.nan, "a look at no time"),
        ("looked_at", np.inf, "a look at no time"),
        *((name, b"\xff", f"{name} is no text") for name in columns(EMPTY_ROWS, "S")),
    ],
)
def test_a_value_that_no_look_can_have_found_is_refused(
    name: str, value: object, message: str
) -> None:
    rows = Rows.of([photo("a", "1"), waiting("b", "1")])
    rows.check()
    rows.columns()[name][1] = value
    with pytest.raises(ValueError, match=message):
        rows.check()


def test_all_rows_of_some_keys_are_found() -> None:
    rows = Rows.of([photo(key, "1", photo_id=str(n)) for n, key in enumerate("aabbbdd")])
    wanted = np.array([b"a", b"c", b"d", b"longer than any key"])
    assert rows.of_keys(wanted).tolist() == [0, 1, 5, 6]
    assert rows.of_keys(np.array([b"b"])).tolist() == [2, 3, 4]
    assert rows.of_keys(np.array([b"c"])).tolist() == []


def test_rows_are_concatenated_in_order() -> None:
    one, other = Rows.of([photo("a", "1")]), Rows.of([photo("longer", "1"), gone("b", "1")])
    assert len(Rows.concatenate([])) == 0
    assert Rows.concatenate([one])[0] == one[0]
    both = Rows.concatenate([one, other])
    assert [both[position].key for position in range(3)] == ["a", "longer", "b"]


@pytest.mark.parametrize("some", ["", "b", "bd"])
def test_which_values_are_among_some_and_where(some: str) -> None:
    values = "abcde"
    found, places = among(*(np.array([*each], dtype="S1") for each in (values, some)))
    assert found.tolist() == [each in some for each in values]
    assert [some[place] for place, there in zip(places, found, strict=True) if there] == [*some]


def test_rows_are_ordered_as_by_a_sort_by_all_columns() -> None:
    chance = np.random.default_rng(1)

    def drawn() -> Row:
        key, sequencer, n, kind, at, etag, photo = chance.integers(0, (5, 3, 2, 4, 2, 2, 2))
        version = Version(str(sequencer), int(n))
        return Row(f"k{key}", version, Kind(int(kind)), float(at), str(etag), str(photo))

    for count in [*range(3)] + [10] * 300:
        rows = Rows.of([drawn() for _ in range(count)])
        told = rows.kind != Kind.WAITING
        version = rows.looked_at, rows.n, rows.sequencer
        columns = rows.photo_id, rows.etag, rows.kind, *version, told, rows.key
        assert np.array_equal(order_by_version(rows), np.lexsort(columns))

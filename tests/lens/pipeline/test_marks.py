"""The marks that collect keeps: the grace begins when an object was last seen to be unreachable.

Covers: collect.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lens.errors import DamagedError
from lens.gallery import retention
from lens.gallery.commits import advance_head
from lens.gallery.segments import segment_key
from lens.pipeline.collect import check_marks, collect
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.support.small_galleries import DAY, MODEL, NOW, add, head, make_live, photo

# What the disk says of a file's age is now, the test's own time; the tests' clock is far ahead.
HOUR = DAY / 24


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    storage = FileStorage(tmp_path)
    announce_format(storage, NOW)  # new artifacts, whose marks say when the last run was
    make_live(storage)
    return storage


def run(storage: FileStorage, now: float) -> int:
    return collect(storage, storage, lambda looks: None, now=now)


def leave_out(storage: FileStorage) -> str:
    """Let the head name no segment, and its history begin there; the key of the one left out."""
    add(storage, photo("a", "1"))
    (ref,) = head(storage).segments
    advance_head(
        storage,
        MODEL,
        lambda newest: newest.model_copy(update={"segments": ()}),
        now=NOW,
        first=True,
    )
    return segment_key(MODEL, ref.id)


def test_what_is_unreachable_goes_after_the_grace_and_not_before(storage: FileStorage) -> None:
    key = leave_out(storage)
    run(storage, NOW)
    run(storage, NOW + retention.GRACE - HOUR)
    assert storage.head(key)
    run(storage, NOW + retention.GRACE)
    assert storage.head(key) is None


def test_the_grace_begins_anew_when_an_object_was_reachable_meanwhile(
    storage: FileStorage,
) -> None:
    add(storage, photo("a", "1"))
    named = head(storage)
    key = segment_key(MODEL, named.segments[0].id)

    def name(segments: tuple[object, ...], now: float) -> None:
        advance_head(
            storage,
            MODEL,
            lambda newest: newest.model_copy(update={"segments": segments}),
            now=now,
            first=True,
        )
        run(storage, now)

    name((), NOW)
    name(named.segments, NOW + HOUR)
    name((), NOW + 2 * HOUR)
    run(storage, NOW + retention.GRACE + HOUR)
    assert storage.head(key)
    run(storage, NOW + retention.GRACE + 2 * HOUR)
    assert storage.head(key) is None


def marks(storage: FileStorage) -> set[str]:
    return set(json.loads(storage.read("collected.json")[0])["artifacts"])


def test_what_is_removed_has_no_mark_any_more(storage: FileStorage) -> None:
    key = leave_out(storage)
    assert run(storage, NOW) == 0
    assert key in marks(storage)
    assert run(storage, NOW + DAY) == 2  # the first commit, too
    assert marks(storage) == set()


@pytest.mark.parametrize(("pause", "agree"), [(14 * DAY, True), (14 * DAY + 1, False)])
def test_two_runs_agree_that_are_two_weeks_apart_at_most(
    storage: FileStorage, pause: float, agree: bool
) -> None:
    key = leave_out(storage)
    run(storage, NOW)
    run(storage, NOW + pause)
    assert (storage.head(key) is None) == agree
    run(storage, NOW + pause + 1)
    assert storage.head(key) is None


def test_what_is_first_seen_while_the_clock_is_behind_has_its_grace(storage: FileStorage) -> None:
    run(storage, NOW)
    key = leave_out(storage)
    run(storage, NOW - 90 * DAY)
    run(storage, NOW + HOUR)
    run(storage, NOW + 2 * HOUR)
    assert storage.head(key)
    run(storage, NOW + 2 * HOUR + retention.GRACE)
    assert storage.head(key) is None


def test_what_is_first_seen_while_the_clock_is_ahead_goes_all_the_same(
    storage: FileStorage,
) -> None:
    key = leave_out(storage)
    run(storage, NOW + 90 * DAY)
    run(storage, NOW)
    run(storage, NOW + HOUR)
    run(storage, NOW + HOUR + retention.GRACE - 1)
    assert storage.head(key)
    run(storage, NOW + HOUR + retention.GRACE)
    assert storage.head(key) is None


def test_marks_that_are_damaged_are_told(storage: FileStorage) -> None:
    check = pytest.raises(DamagedError, match=r"collected\.json")
    storage.write("collected.json", b'{"artifacts": 1}')
    with check:
        check_marks(storage)
    run(storage, NOW)
    check_marks(storage)

"""Compaction: shortens the tail, shows the same as before, and yields to whoever was faster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lens.gallery import retention
from lens.gallery.commits import read_head
from lens.gallery.current import Pin, swap_current
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Row
from lens.gallery.snapshots import read_snapshot_manifest
from lens.pipeline import compact as compaction
from lens.pipeline.compact import compact, fold, merge
from lens.storage import FileStorage
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step
from tests.support.small_galleries import (
    DAY,
    MODEL,
    NOW,
    add,
    gallery,
    gone,
    head,
    make_live,
    photo,
    shown,
)

Work = Callable[..., bool]


class Rivals:
    """Storage, and what somebody else does to it in the middle of a compactor's work."""

    def __init__(self, folder: Path) -> None:
        self.bare = FileStorage(folder)
        self.storage = InterruptingStorage(self.bare, self.act)
        make_live(self.bare)
        for number in range(3):
            add(self.bare, photo(f"{number}", "1"), photo("a", f"{number + 1}"))

    def act(self, step: Step) -> None:
        if step.name == "commit":
            add(self.bare, gone("a", "9"), photo("new", "1"))
        elif step.name == "fold":
            fold(self.bare, head(self.bare), now=NOW)
        elif step.name == "merge":
            merge(self.bare, head(self.bare), now=NOW)

    @property
    def shown(self) -> dict[str, str]:
        return shown(gallery(self.bare))


BEFORE = {"0": "0 1", "1": "1 1", "2": "2 1", "a": "a 3"}
AFTER = {"0": "0 1", "1": "1 1", "2": "2 1", "new": "new 1"}


@pytest.mark.parametrize("work", [fold, merge])
@pytest.mark.parametrize("at", range(1, 17))
def test_a_commit_in_the_middle_of_compaction_is_kept(tmp_path: Path, work: Work, at: int) -> None:
    rivals = Rivals(tmp_path)
    with rivals.storage.interrupted([Interruption(at, "meanwhile", Step("commit", 0))]):
        assert work(rivals.storage, head(rivals.bare), now=NOW)
    assert rivals.shown in (BEFORE, AFTER)
    assert (rivals.shown == AFTER) == (head(rivals.bare).number == 5)


@pytest.mark.parametrize("work", [fold, merge])
@pytest.mark.parametrize("other", ["fold", "merge"])
@pytest.mark.parametrize("at", range(1, 17))
def test_of_two_compactors_at_once_one_wins_and_nothing_is_lost(
    tmp_path: Path, work: Work, other: str, at: int
) -> None:
    rivals = Rivals(tmp_path)
    with rivals.storage.interrupted([Interruption(at, "meanwhile", Step(other, 0))]):
        work(rivals.storage, head(rivals.bare), now=NOW)
    assert rivals.shown == BEFORE
    assert head(rivals.bare).number == 4


@pytest.mark.parametrize("at", [6, 7, 8, 15, 16])  # its writes
def test_a_compactor_whose_answer_was_lost_does_its_work_once(tmp_path: Path, at: int) -> None:
    rivals = Rivals(tmp_path)
    with rivals.storage.interrupted([Interruption(at, "lost answer", Step("", 0))]):
        assert fold(rivals.storage, head(rivals.bare), now=NOW)
    assert rivals.shown == BEFORE
    assert head(rivals.bare).number == 4


def test_a_long_tail_is_merged_first_and_folded_when_it_has_many_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TAIL_SEGMENTS", 2)
    monkeypatch.setattr(compaction, "TAIL_ROWS", 6)
    rivals = Rivals(tmp_path)
    assert compact(rivals.bare, MODEL, now=NOW)
    assert (head(rivals.bare).snapshot, len(head(rivals.bare).segments)) == (None, 1)
    assert not compact(rivals.bare, MODEL, now=NOW)
    add(rivals.bare, *(photo(f"more {number}", "1") for number in range(4)))
    assert compact(rivals.bare, MODEL, now=NOW)
    assert head(rivals.bare).snapshot is not None
    assert head(rivals.bare).segments == ()


def test_there_is_nothing_to_compact_before_the_first_commit(tmp_path: Path) -> None:
    assert not compact(FileStorage(tmp_path), MODEL, now=NOW)


def test_tombstones_expire_but_not_while_searches_are_pinned(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, gone("a", "1"), photo("b", "1"))
    late = NOW + retention.TOMBSTONE + DAY
    pin = Pin(model_id=MODEL, commit=1, commit_id=head(storage).id, since=NOW)
    swap_current(storage, lambda c: c and c.model_copy(update={"pin": pin}))
    fold(storage, head(storage), now=late)
    assert {row.decode() for row in gallery(storage).known.key} == {"a", "b"}
    swap_current(storage, lambda c: c and c.model_copy(update={"pin": None}))
    add(storage, photo("c", "1", at=late), now=late)
    fold(storage, head(storage), now=late)
    assert {row.decode() for row in gallery(storage).known.key} == {"b", "c"}
    snapshot = head(storage).snapshot
    assert snapshot is not None
    assert read_snapshot_manifest(storage, MODEL, snapshot.id).expired_tombstones == 1


def test_a_deleted_photo_stays_away_when_its_old_event_comes_after_the_fold(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, gone("a", "2"), photo("b", "1"))
    fold(storage, head(storage), now=NOW)
    add(storage, photo("a", "1"))
    fold(storage, head(storage), now=NOW)
    assert shown(gallery(storage)) == {"b": "b 1"}
    assert read_head(storage, MODEL).number


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("then", [gone("a", "2"), photo("a", "2")])
def test_a_photo_that_was_deleted_or_replaced_leaves_a_quiet_gallery_after_a_day(
    tmp_path: Path, folded: bool, then: Row
) -> None:
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, photo("a", "1"), photo("b", "1"))
    if folded:
        fold(storage, head(storage), now=NOW)
    add(storage, then)
    before = shown(gallery(storage))
    assert not compact(storage, MODEL, now=NOW + retention.TAIL)
    assert not compact(storage, MODEL, now=NOW + 9 * DAY, aged=False)
    assert compact(storage, MODEL, now=NOW + retention.TAIL + 1)
    newest = gallery(storage)
    assert newest.tail == {}
    assert newest.snapshot is not None
    assert b"a 1" not in newest.snapshot.rows.photo_id
    assert len(newest.snapshot.index) == newest.photo_count
    assert shown(newest) == before
    assert not compact(storage, MODEL, now=NOW + 9 * DAY)


def test_old_photos_alone_do_not_make_a_tail_fold(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, photo("a", "1"))
    fold(storage, head(storage), now=NOW)
    add(storage, photo("b", "1"), gone("never there", "1"))
    assert not compact(storage, MODEL, now=NOW + 9 * DAY)


def test_a_warm_searcher_keeps_no_vector_of_a_photo_that_was_deleted_long_ago(
    tmp_path: Path,
) -> None:
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, photo("a", "1"), photo("b", "1"))
    fold(storage, head(storage), now=NOW)
    add(storage, gone("a", "2"))
    warm = gallery(storage)
    assert compact(storage, MODEL, now=NOW + 2 * DAY)
    newer = load_gallery(storage, head(storage), warm)
    assert newer.snapshot is not None
    assert len(newer.snapshot.index) == 1

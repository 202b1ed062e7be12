"""Compaction: shortens the tail, shows the same as before, and yields to whoever was faster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lens.errors import DamagedError
from lens.gallery import match_thresholds, retention
from lens.gallery.commits import Commit, advance_head, read_head
from lens.gallery.current import Pin, swap_current
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Row
from lens.gallery.segments import read_segment
from lens.gallery.snapshots import SnapshotManifest, load_snapshot, read_snapshot_manifest
from lens.models.calibration import Calibration, write_calibration
from lens.pipeline import compact as compaction
from lens.pipeline.compact import compact, fold, merge, snapshot_of, tail_bounds
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step
from tests.support.small_galleries import (
    DAY,
    DIM,
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


@pytest.mark.parametrize("at", range(1, 6))
def test_a_compactor_whose_answer_was_lost_does_its_work_once(tmp_path: Path, at: int) -> None:
    rivals = Rivals(tmp_path)
    with rivals.storage.interrupted([Interruption(at, "lost answer", Step("", 0), "write ")]):
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


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    storage = FileStorage(tmp_path)
    make_live(storage)
    return storage


def manifest(storage: FileStorage) -> SnapshotManifest:
    """That of the head's snapshot."""
    snapshot = head(storage).snapshot
    assert snapshot is not None
    return read_snapshot_manifest(storage, MODEL, snapshot.id)


def photos(first: int, count: int) -> list[Row]:
    return [photo(f"{number:04}", "1") for number in range(first, first + count)]


def test_a_tail_may_have_so_many_segments_and_rows(storage: FileStorage) -> None:
    assert (compaction.TAIL_SEGMENTS, compaction.TAIL_ROWS) == (32, 256)
    assert compaction.SMALL_SEGMENT_ROWS == 512
    for number in range(32):
        add(storage, photo(f"{number}", "1"))
    assert compact(storage, MODEL, now=NOW) is False
    add(storage, photo("one more", "1"))
    assert compact(storage, MODEL, now=NOW) is True
    assert (head(storage).snapshot, len(head(storage).segments)) == (None, 1)
    add(storage, *photos(0, 256 - 33))
    assert compact(storage, MODEL, now=NOW) is False
    add(storage, photo("another", "1"))
    assert compact(storage, MODEL, now=NOW) is True
    assert head(storage).snapshot is not None


def test_a_tail_may_have_a_sixteenth_of_a_snapshot(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TAIL_ROWS", 0)
    add(storage, *photos(0, 32))
    fold(storage, head(storage), now=NOW)
    add(storage, *photos(32, 2))
    assert compact(storage, MODEL, now=NOW) is False
    monkeypatch.setattr(compaction, "SCAN_LIMIT", 1)
    assert compact(storage, MODEL, now=NOW) is True
    monkeypatch.undo()
    monkeypatch.setattr(compaction, "TAIL_ROWS", 0)
    add(storage, *photos(34, 3))
    assert compact(storage, MODEL, now=NOW) is True


def test_while_many_rows_come_a_tail_may_be_longer_for_an_hour(storage: FileStorage) -> None:
    add(storage, *photos(0, 2_000))
    fold(storage, head(storage), now=NOW)
    add(storage, *photos(2_000, 257))
    assert tail_bounds(2_000) == (256, 500)
    for now in (NOW, NOW + compaction.LOADING - 1):
        assert compact(storage, MODEL, now=now, aged=False) is False
    untouched = head(storage)
    assert compact(storage, MODEL, now=NOW + compaction.LOADING, aged=False) is True
    assert manifest(storage).rows == 2_257
    swap_head(storage, untouched)
    assert compact(storage, MODEL, now=NOW - 1, aged=False) is True  # a clock that went back
    swap_head(storage, untouched)
    assert compact(storage, MODEL, now=NOW) is True  # the schedule's call
    swap_head(storage, untouched)
    add(storage, *photos(2_257, 244))
    assert compact(storage, MODEL, now=NOW, aged=False) is True


def swap_head(storage: FileStorage, to: Commit) -> None:
    parts = {"snapshot": to.snapshot, "segments": to.segments}
    advance_head(storage, MODEL, lambda newest: newest.model_copy(update=parts), now=NOW)


def test_there_is_nothing_to_fold_without_a_tail_nor_to_merge_of_one_segment(
    storage: FileStorage,
) -> None:
    add(storage, photo("a", "1"))
    before = head(storage)
    assert merge(storage, before, now=NOW) is False
    assert head(storage) == before
    assert fold(storage, before, now=NOW) is True
    before = head(storage)
    assert fold(storage, before, now=NOW) is False
    assert head(storage) == before


def test_small_segments_are_merged_and_all_where_none_or_one_is_small(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "SMALL_SEGMENT_ROWS", 2)

    def sizes() -> list[int]:
        return [ref.rows for ref in head(storage).segments]

    for rows in (photos(0, 3), photos(3, 2), photos(5, 1), photos(6, 4)):
        add(storage, *rows)
    assert merge(storage, head(storage), now=NOW) is True
    assert sizes() == [3, 3, 4]
    assert merge(storage, head(storage), now=NOW) is True
    assert sizes() == [10]
    add(storage, photo("one", "1"))
    assert merge(storage, head(storage), now=NOW) is True
    assert sizes() == [11]
    assert gallery(storage).photo_count == 11


def test_what_is_merged_has_about_the_same_size(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "SMALL_SEGMENT_ROWS", 0)
    for first, count in ((0, 20), (20, 3), (23, 2), (25, 4)):
        add(storage, *photos(first, count))
    assert merge(storage, head(storage), now=NOW) is True
    assert sorted(ref.rows for ref in head(storage).segments) == [9, 20]
    assert gallery(storage).photo_count == 29


def test_what_was_folded_is_told_by_its_own_name_and_by_those_merged_into_it(
    storage: FileStorage,
) -> None:
    names = {add(storage, photo(key, "1")).segments[-1].id for key in "ab"}
    merge(storage, head(storage), now=NOW)
    (merged,) = head(storage).tail_ids
    assert set(read_segment(storage, MODEL, merged).merged_from) == names
    fold(storage, head(storage), now=NOW)
    assert {(each.id, each.at) for each in manifest(storage).folded} == {
        (name, NOW) for name in {*names, merged}
    }
    assert manifest(storage).parent is None


@pytest.mark.parametrize("later", [retention.SEGMENT, retention.SEGMENT + 1])
def test_what_was_folded_is_told_as_long_as_its_events_are_applied(
    storage: FileStorage, later: float
) -> None:
    first = add(storage, photo("a", "1")).segments[-1].id
    fold(storage, head(storage), now=NOW)
    base = manifest(storage)
    at = NOW + later
    second = add(storage, photo("b", "1", at=at), now=at).segments[-1].id
    fold(storage, head(storage), now=at)
    known = {first, second} if later == retention.SEGMENT else {second}
    assert {each.id for each in manifest(storage).folded} == known
    assert manifest(storage).parent == base.id
    third = photo("c", "1", at=at)
    add(storage, third, now=at)
    fold(storage, head(storage), now=at, forget=True)
    assert manifest(storage).parent is None


@pytest.mark.parametrize("later", [0.0, 1.0])
def test_a_tombstone_is_kept_for_so_long_and_counted_when_it_goes(
    storage: FileStorage, later: float
) -> None:
    add(storage, gone("a", "1"), photo("b", "1"), photo("c", "1"))
    fold(storage, head(storage), now=NOW + retention.TOMBSTONE + later)
    kept = {key.decode() for key in gallery(storage).known.key}
    assert kept == ({"b", "c"} if later else {"a", "b", "c"})
    assert manifest(storage).expired_tombstones == (1 if later else 0)


def test_before_there_is_a_current_model_tombstones_expire_too(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, gone("a", "1"), photo("b", "1"))
    before = head(storage)
    copy = FileStorage(tmp_path / "copy")
    for info in storage.list("segments/"):
        copy.write(info.key, storage.read(info.key)[0])
    assert fold(copy, before, now=NOW + 2 * retention.TOMBSTONE) is False
    written = [info.key for info in copy.list("snapshots/") if info.key.endswith("manifest.json")]
    (name,) = [key.split("/")[2] for key in written]
    assert read_snapshot_manifest(copy, MODEL, name).expired_tombstones == 1


def test_a_snapshot_of_a_commit_has_the_rows_that_are_chosen(storage: FileStorage) -> None:
    add(storage, photo("a", "1"), photo("b", "1"))
    fold(storage, head(storage), now=NOW)
    add(storage, photo("c", "1"), gone("d", "1", at=NOW - 3_600))
    ref = snapshot_of(storage, head(storage), lambda rows: rows.key != b"a")
    found = load_snapshot(storage, MODEL, ref.id)
    assert [key.decode() for key in found.rows.key] == ["b", "c", "d"]
    assert (found.manifest.parent, found.manifest.folded) == (None, ())
    assert found.manifest.expired_tombstones == 0


def test_damage_of_a_snapshot_does_not_come_along(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large it is: what is folded gets a checksum of its own."""
    monkeypatch.setattr("lens.storage.mapped.CHECKED_IN_PLACE", 8)
    monkeypatch.setattr("lens.gallery.snapshots.CHECKED_IN_PLACE", 8)
    add(storage, photo("a", "1"))
    fold(storage, head(storage), now=NOW)
    (key,) = [info.key for info in storage.list("snapshots/") if info.key.endswith("vectors.npy")]
    path = storage.root / key
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    add(storage, photo("b", "1"))
    before = head(storage)
    with pytest.raises(DamagedError):
        fold(storage, before, now=NOW)
    assert head(storage) == before


@pytest.mark.parametrize("damaged", ["", "calibration.json", "probes.npy"])
def test_a_calibrated_model_s_gallery_has_thresholds_of_its_own(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, damaged: str
) -> None:
    announce_format(storage, 0.0)
    monkeypatch.setattr(match_thresholds, "LEAST_PAIRS", 2)
    monkeypatch.setattr(match_thresholds, "LEAST_PROBES", 2)
    words = Calibration(garment_from=0.5, same=0.9, very_similar=0.8, similar_style=0.5, loss=0.25)
    write_calibration(storage, MODEL, words, np.eye(DIM, dtype=np.float32))
    if damaged:
        storage.write(f"models/{MODEL}/{damaged}", b"spoiled")
    rows = [photo(f"{n}", "1")._replace(item_id="ab"[n % 2]) for n in range(6)]
    add(storage, *rows)
    fold(storage, head(storage), now=NOW)
    found = manifest(storage).match
    if damaged:
        assert found is None
    else:
        assert found is not None
        assert (found.pairs, found.probes) == (6, DIM)

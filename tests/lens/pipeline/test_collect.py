"""Collect: removes what nothing reaches, after the grace of `retention`, and nothing else.

Covers: collect, part_names, retention.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from lens.errors import StorageError
from lens.gallery import retention
from lens.gallery.commits import advance_head, head_key, history
from lens.gallery.condemned import read_condemned
from lens.gallery.current import swap_current
from lens.gallery.loading import load_gallery
from lens.gallery.versions import Look, Version
from lens.photos.catalog import Catalog
from lens.photos.thumbnail_store import thumb_key, write_thumbnail
from lens.pipeline.collect import collect
from lens.pipeline.commit import commit_feed, commit_segments
from lens.pipeline.compact import compact, fold, merge
from lens.pipeline.feed import look_at_feed
from lens.pipeline.rollback import release, rollback
from lens.storage import FileStorage, Storage
from tests.histories.interrupting_storage import (
    CrashError,
    How,
    InterruptingStorage,
    Interruption,
    Step,
)
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
    write,
)


class Place:
    """Artifacts, and what the collector queued."""

    def __init__(self, folder: Path) -> None:
        self.storage = FileStorage(folder)
        self.queued: list[Look] = []
        make_live(self.storage)

    def collect(self, now: float) -> int:
        return collect(self.storage, self.storage, self.queued.extend, now=now)

    def names(self, prefix: str = "") -> set[str]:
        return {info.key for info in self.storage.list(prefix)}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_before_the_first_model_there_is_nothing_to_collect(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    assert collect(storage, storage, lambda looks: None, now=NOW) == 0


def test_what_nothing_reaches_goes_only_after_the_grace(place: Place) -> None:
    orphan = f"segments/{MODEL}/{write(place.storage, photo('a', '1'))}.npz"
    write_thumbnail(place.storage, "a 1", b"jpeg")
    for now in (NOW, NOW + retention.GRACE - 1):
        assert place.collect(now) == 0
        assert {orphan, thumb_key("a 1")} <= place.names()
    assert place.collect(NOW + retention.GRACE) == 2
    assert not {orphan, thumb_key("a 1")} & place.names()


@pytest.mark.parametrize("how", [fold, merge])
def test_the_thumbnail_of_a_replaced_photo_goes_and_that_of_its_successor_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch, how: Callable[..., bool]
) -> None:
    monkeypatch.setattr(retention, "COMMITS", 1)
    for version in "12":
        add(place.storage, photo("a", version))
        write_thumbnail(place.storage, f"a {version}", b"jpeg")
    how(place.storage, head(place.storage), now=NOW)
    for now in (NOW, NOW + DAY):
        place.collect(now)
    assert place.names("thumbs/") == {thumb_key("a 2")}


SHOPS_OWN = [
    "thumbs/logo.png",
    "thumbs/summer-sale/banner.jpg",
    "thumbs/d41d8cd98f00b204e9800998ecf8427e",
    "commits/2026/minutes.json",
    "segments/customers/d41d8cd98f00b204e9800998ecf8427e.csv",
    "segments/tiny-a/README",
    "snapshots/disk.img",
    "snapshots/vm/d41d8cd98f00b204e9800998ecf8427e/disk/0.img",
    "catalog/a.jpg",
]


def test_files_that_this_project_cannot_have_made_stay(place: Place) -> None:
    for key in SHOPS_OWN:
        place.storage.write(key, b"the shop's own file")
    add(place.storage, photo("a", "1"))
    for day in range(4):
        assert place.collect(NOW + day * DAY) == 0
    assert set(SHOPS_OWN) <= place.names()


def test_marks_of_earlier_releases_which_marked_a_shops_own_files_are_not_read(
    place: Place,
) -> None:
    place.storage.write("thumbs/logo.png", b"the shop's own file")
    place.storage.write("collector.json", b'{"thumbs": {"thumbs/logo.png": 1.0}}')
    for day in range(3):
        place.collect(NOW + day * DAY)
    assert "thumbs/logo.png" in place.names()


@pytest.mark.parametrize("damage", [b"", b"not a segment"])
def test_a_damaged_part_that_nothing_reaches_is_removed_and_stops_nothing(
    place: Place, damage: bytes
) -> None:
    damaged = f"segments/{MODEL}/{write(place.storage, photo('a', '1'))}.npz"
    whole = f"segments/{MODEL}/{write(place.storage, gone('b', '1'))}.npz"
    place.storage.write(damaged, damage)
    place.collect(NOW)
    place.collect(NOW + DAY)
    assert not {damaged, whole} & place.names()


def test_a_segment_that_was_never_committed_has_its_keys_looked_at_again(place: Place) -> None:
    add(place.storage, photo("a", "1"), photo("c", "3"))
    write(place.storage, photo("a", "2"), photo("b", "1"), photo("c", "2"), gone("d", "1"))
    for now in (NOW, NOW + DAY, NOW + 2 * DAY):
        place.collect(now)
    again = [("a", "2"), ("b", "1")]
    assert place.queued == [Look(key, Version(version), MODEL) for key, version in again]


def test_photos_that_were_folded_long_ago_are_not_looked_at_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "COMMITS", 1)
    for key in "abc":
        add(place.storage, photo(key, "1"))
    merge(place.storage, head(place.storage), now=NOW)
    fold(place.storage, head(place.storage), now=NOW)
    place.collect(NOW)
    assert place.collect(NOW + DAY) > 0
    assert place.names("segments/") == set()
    assert place.queued == []
    assert shown(gallery(place.storage)) == {"a": "a 1", "b": "b 1", "c": "c 1"}


def test_every_kept_commit_can_be_loaded_and_older_ones_are_gone(place: Place) -> None:
    for number in range(retention.COMMITS + 5):
        add(place.storage, photo(f"{number}", "1"))
        if number % 4 == 0:
            fold(place.storage, head(place.storage), now=NOW)
    place.collect(NOW)
    assert place.collect(NOW + DAY) > 0
    commits = list(history(place.storage, MODEL))
    assert len(commits) == retention.COMMITS
    for commit in commits:
        assert load_gallery(place.storage, commit).commit == commit


def test_a_commit_goes_once_its_successor_is_older_than_a_pin_may_reach(place: Place) -> None:
    for number in range(3):
        add(place.storage, photo(f"{number}", "1"))
    late = NOW + retention.PIN + 1
    add(place.storage, photo("late", "1", at=late), now=late)
    place.collect(late)
    assert place.collect(late + DAY) > 0
    assert [commit.number for commit in history(place.storage, MODEL)] == [4, 3]


def test_a_photo_deleted_in_a_quiet_shop_leaves_the_artifacts_in_the_stated_time(
    place: Place,
) -> None:
    """Everything runs once a day and nothing else happens: docs/operations.md says how long."""
    add(place.storage, photo("a", "1"), photo("b", "1"))
    write_thumbnail(place.storage, "a 1", b"jpeg")
    add(place.storage, gone("a", "2"))
    days = 0
    while thumb_key("a 1") in place.names():
        days += 1
        compact(place.storage, MODEL, now=NOW + days * DAY)
        place.collect(NOW + days * DAY)
        assert days < 99
    assert days <= (retention.TAIL + retention.PIN + retention.GRACE) / DAY + 3
    kept = place.names("segments/") | place.names("snapshots/")
    assert not [key for key in kept if b"a 1" in place.storage.read(key)[0]]
    assert shown(gallery(place.storage)) == {"b": "b 1"}


def test_an_earlier_models_gallery_goes_once_searches_cannot_go_back_to_it(place: Place) -> None:
    make_live(place.storage, "tiny-b")
    add(place.storage, photo("a", "1"), model_id="tiny-b")
    make_live(place.storage, MODEL, "tiny-b")
    late = NOW + retention.PIN
    for now in (late - 1, late):  # as long as `rollback` reaches it
        place.collect(now)
        assert shown(gallery(place.storage, "tiny-b")) == {"a": "a 1"}
    place.collect(late + 1)
    place.collect(late + 1 + DAY)
    assert place.names("segments/") == set()


def test_a_pin_keeps_the_galleries_of_the_models_between(place: Place) -> None:
    make_live(place.storage, "tiny-b")
    add(place.storage, photo("a", "1"), model_id="tiny-b")
    make_live(place.storage, MODEL, "tiny-b")
    rollback(place.storage, model_id="tiny-b", now=NOW)
    for days in (40, 41, 42):
        place.collect(NOW + days * DAY)
    assert shown(gallery(place.storage, "tiny-b")) == {"a": "a 1"}


def test_what_a_pin_holds_stays(place: Place) -> None:
    add(place.storage, photo("a", "1"))
    add(place.storage, photo("b", "1"))
    rollback(place.storage, commit=1, now=NOW)
    pinned = list(history(place.storage, MODEL))[-1]
    for number in range(retention.COMMITS + 5):
        add(place.storage, photo(f"{number}", "1"))
        fold(place.storage, head(place.storage), now=NOW)
    for now in (NOW, NOW + DAY, NOW + 2 * DAY):
        place.collect(now)
        assert shown(load_gallery(place.storage, pinned)) == {"a": "a 1"}
    release(place.storage)
    place.collect(NOW + 3 * DAY)
    place.collect(NOW + 4 * DAY)
    assert not [key for key in place.names("commits/") if pinned.id in key]


def test_a_thumbnail_written_again_lately_is_spared(place: Place) -> None:
    write(place.storage, photo("a", "1", photo_id="p"))
    write_thumbnail(place.storage, "p", b"jpeg")
    written = place.storage.head(thumb_key("p"))
    assert written is not None
    place.collect(written.modified - 2 * DAY)
    place.collect(written.modified)
    assert thumb_key("p") in place.names()


@pytest.mark.parametrize("damaged", [True, False])
@pytest.mark.parametrize("folded", [True, False])
def test_what_names_a_thumbnail_goes_after_it_because_marks_can_be_lost(
    place: Place, damaged: bool, folded: bool
) -> None:
    if folded:
        add(place.storage, photo("a", "1", photo_id="p"))
        fold(place.storage, head(place.storage), now=NOW)
        advance_head(
            place.storage,
            MODEL,
            lambda newest: newest.model_copy(update={"snapshot": None}),
            now=NOW,
            first=True,
        )
    else:
        write(place.storage, photo("a", "1", photo_id="p"))
    write_thumbnail(place.storage, "p", b"jpeg")
    written = place.storage.head(thumb_key("p"))
    assert written is not None
    now, prefix = written.modified, "snapshots/" if folded else "segments/"
    names = place.names(prefix)
    for key in names:
        os.utime(place.storage.root / key, (now - 9 * DAY,) * 2)
    place.collect(now - DAY)
    place.collect(now)  # the thumbnail was written lately, the part was not
    assert place.names(prefix) == names
    if damaged:
        place.storage.write("collected.json", b"{")
        place.collect(now + DAY)
        assert place.names(prefix) == names
        place.collect(now + 2 * DAY)
    else:
        place.collect(now + DAY)
    assert place.names("thumbs/") == place.names(prefix) == set()


def test_a_model_retired_long_ago_is_emptied_and_removed(place: Place) -> None:
    add(place.storage, photo("a", "1"))
    later = [f"tiny-{number}" for number in range(retention.MODELS + 1)]
    swap_current(
        place.storage,
        lambda c: c and c.model_copy(update={"live": later[0], "previous": (*later[1:], MODEL)}),
    )
    place.collect(NOW)
    assert shown(gallery(place.storage)) == {}
    place.collect(NOW + DAY)
    assert place.names("segments/") == set()


@pytest.mark.parametrize("at", range(1, 20))
def test_a_model_named_candidate_while_the_collector_runs_is_whole_when_it_goes_live(
    tmp_path: Path, at: int
) -> None:
    place = Place(tmp_path)
    add(place.storage, photo("a", "1"))
    swap_current(place.storage, lambda c: c and c.model_copy(update={"live": "tiny-b"}))
    begun: list[dict[str, str]] = []

    def promote(step: Step) -> None:
        """What `promotion.promote` does when the old gallery is right already."""
        swap_current(place.storage, lambda c: c and c.model_copy(update={"candidate": MODEL}))
        advance_head(place.storage, MODEL, lambda newest: newest, now=NOW)
        begun.append(shown(gallery(place.storage)))

    storage = InterruptingStorage(place.storage, promote)
    with storage.interrupted([Interruption(at, "meanwhile", Step("", 0))]):
        collect(storage, storage, place.queued.extend, now=NOW)
    if begun:
        assert shown(gallery(place.storage)) == begun[0]


def test_products_stay_while_a_kept_commit_names_them_and_go_after(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "COMMITS", 2)
    catalog = Catalog(FileStorage(tmp_path / "photos"))
    announced = place.storage.root / "formats.json"
    announced.write_text('{"newest": 2, "at": 0, "began": 2}')
    looks = []
    for price in (1, 2, 3):
        rows = "".join(f"p{n},A,{price if n == 0 else 1}.00 EUR\n" for n in range(200))
        catalog.storage.write("products.csv", f"id,title,price\n{rows}".encode())
        key = look_at_feed(place.storage, catalog, MODEL)
        assert key is not None
        looks.append(key.rpartition("/")[0])
        commit_feed(place.storage, MODEL, [key.split("/")[2]], now=NOW)
    for now in (NOW, NOW + DAY):
        place.collect(now)
    left = {name.rpartition("/")[0] for name in place.names("products/")}
    # The first look's table is the whole one of those after it, though its commit is gone.
    assert left == set(looks)
    assert load_gallery(place.storage, head(place.storage)).shelf is not None
    catalog.storage.delete("products.csv")
    for _ in range(2):
        key = look_at_feed(place.storage, catalog, MODEL)
        if key:
            commit_feed(place.storage, MODEL, [key.split("/")[2]], now=NOW)
        add(place.storage, photo("a", str(len(looks))))
    for now in (NOW + 2 * DAY, NOW + 3 * DAY):
        place.collect(now)
    assert not {name.rpartition("/")[0] for name in place.names("products/")} & set(looks)


def asleep(place: Place, act: Callable[[InterruptingStorage], object], *, of: str) -> None:
    """Do something that is overtaken by two runs of the collector, a day apart, at a write."""

    def collect_twice(step: Step) -> None:
        place.collect(NOW)
        place.collect(NOW + DAY)

    storage = InterruptingStorage(place.storage, collect_twice)
    with storage.interrupted([Interruption(1, "meanwhile", Step("", 0), of)]):
        act(storage)


def test_a_committer_that_slept_for_a_day_names_no_segment_that_was_removed(place: Place) -> None:
    add(place.storage, photo("a", "1"))
    name = write(place.storage, photo("b", "1"))
    again: list[Look] = []

    def commit(storage: InterruptingStorage) -> None:
        again.extend(commit_segments(storage, MODEL, [name], now=NOW))

    asleep(place, commit, of="write heads/")
    assert f"segments/{MODEL}/{name}.npz" not in place.names()
    assert shown(gallery(place.storage)) == {"a": "a 1"}
    # Both ask for it: the collector before it removed the segment, the committer because it did.
    assert place.queued == again == [Look("b", Version("1"), MODEL)]


def test_a_models_first_committer_that_slept_names_no_segment_that_was_removed(
    place: Place,
) -> None:
    name = write(place.storage, photo("b", "1"))
    asleep(
        place, lambda storage: commit_segments(storage, MODEL, [name], now=NOW), of="write heads/"
    )
    assert shown(gallery(place.storage)) == {}
    assert place.queued == [Look("b", Version("1"), MODEL)]


@pytest.mark.parametrize("how", [fold, merge])
@pytest.mark.parametrize("of", ["write heads/", "write commits/"])
def test_a_compactor_that_slept_for_a_day_changes_nothing(
    place: Place, how: Callable[..., bool], of: str
) -> None:
    for key in "ab":
        add(place.storage, photo(key, "1"))
    before = head(place.storage)
    asleep(place, lambda storage: how(storage, before, now=NOW), of=of)
    assert head(place.storage) == before
    assert shown(gallery(place.storage)) == {"a": "a 1", "b": "b 1"}
    assert how(place.storage, before, now=NOW + DAY)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_snapshot_whose_first_files_were_removed_while_its_writer_slept_is_named_by_nobody(
    place: Place, at: int
) -> None:
    add(place.storage, photo("a", "1"))
    before = head(place.storage)

    def collect_twice(step: Step) -> None:
        place.collect(NOW)
        place.collect(NOW + DAY)

    storage = InterruptingStorage(place.storage, collect_twice)
    with storage.interrupted([Interruption(at, "meanwhile", Step("", 0), "write snapshots/")]):
        fold(storage, before, now=NOW)
    assert shown(gallery(place.storage)) == {"a": "a 1"}
    assert (head(place.storage).snapshot is not None) == (at == 1)


def test_a_fence_makes_no_commit_and_no_searcher_load_anything(place: Place) -> None:
    add(place.storage, photo("a", "1"))
    write(place.storage, photo("b", "1"))
    before, bytes_before = head(place.storage), place.storage.read(head_key(MODEL))
    for now in (NOW, NOW + DAY):
        place.collect(now)
    assert head(place.storage) == before
    assert place.storage.read(head_key(MODEL)) != bytes_before


def test_where_nothing_is_due_no_head_is_touched(place: Place) -> None:
    add(place.storage, photo("a", "1"))
    before = place.storage.read(head_key(MODEL))
    for now in (NOW, NOW + DAY):
        place.collect(now)
    assert place.storage.read(head_key(MODEL)) == before


@pytest.mark.parametrize("wrong", [365 * DAY, -365 * DAY, 15 * DAY])
def test_one_run_whose_clock_is_far_off_removes_nothing(place: Place, wrong: float) -> None:
    (place.storage.root / "formats.json").write_text('{"newest": 2, "at": 0, "began": 2}')
    place.collect(NOW - 3_600)
    segment = f"segments/{MODEL}/{write(place.storage, photo('a', '1'))}.npz"
    place.collect(NOW)
    assert place.collect(NOW + wrong) == 0
    assert place.collect(NOW + 3_600) == 0
    assert segment in place.names()
    for hours in (12, 24, 36):
        place.collect(NOW + hours * 3_600)
    assert segment not in place.names()


def test_without_a_time_the_artifacts_own_clock_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = f"segments/{MODEL}/{write(place.storage, photo('a', '1'))}.npz"
    began = place.storage.now()
    for hours, there in ((0, True), (23, True), (25, False)):
        monkeypatch.setattr(FileStorage, "now", lambda self, hours=hours: began + hours * 3_600)
        collect(place.storage, place.storage, place.queued.extend)
        assert (segment in place.names()) == there


@pytest.mark.parametrize("how", ["crash before", "crash after", "failure"])
@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_run_that_is_cut_short_goes_on_where_it_was(place: Place, at: int, how: How) -> None:
    add(place.storage, photo("kept", "1"))
    for number in range(4):
        write(place.storage, photo(f"{number}", "1"))
        write_thumbnail(place.storage, f"{number} 1", b"jpeg")
    place.collect(NOW)
    storage = InterruptingStorage(place.storage, lambda step: None)
    with (
        storage.interrupted([Interruption(at, how, Step("", 0), "delete ")]),
        pytest.raises((CrashError, StorageError)),
    ):
        collect(storage, storage, place.queued.extend, now=NOW + DAY)
    left = place.names("segments/") | place.names("thumbs/")
    assert len(left) > 1
    place.collect(NOW + DAY + 60)  # at once, not after another day
    assert place.names("segments/") == {
        f"segments/{MODEL}/{head(place.storage).segments[0].id}.npz"
    }
    assert place.names("thumbs/") == set()
    assert read_condemned(place.storage) == frozenset()


def test_a_segment_that_a_cut_run_condemned_is_named_by_nobody_until_it_is_gone(
    place: Place,
) -> None:
    name = write(place.storage, photo("a", "1"))
    place.collect(NOW)
    storage = InterruptingStorage(place.storage, lambda step: None)
    with (
        storage.interrupted([Interruption(1, "crash before", Step("", 0), "delete ")]),
        pytest.raises(CrashError),
    ):
        collect(storage, storage, place.queued.extend, now=NOW + DAY)
    assert commit_segments(place.storage, MODEL, [name], now=NOW) == [
        Look("a", Version("1"), MODEL)
    ]


def test_what_killed_writers_left_is_removed_after_a_day(place: Place) -> None:
    add(place.storage, photo("a", "1"))
    root = place.storage.root
    part = root / "segments" / f".{'0' * 32}.part"
    part.write_bytes(b"half")
    rows = root / "snapshots" / MODEL / ("1" * 32) / "rows.npz"
    rows.parent.mkdir(parents=True)
    rows.write_bytes(b"no manifest")
    place.collect(NOW)
    assert part.exists()
    assert rows.exists()
    old = part.stat().st_mtime - 2 * DAY
    os.utime(part, (old, old))
    place.collect(NOW + DAY)
    assert not part.exists()
    assert not rows.exists()


@pytest.mark.parametrize("slept", [False, True])
def test_a_commit_at_any_moment_of_a_run_names_only_what_stays(tmp_path: Path, slept: bool) -> None:
    """A committer whose clock is behind takes in a segment that is due; `slept`: it had read the
    head before the run began."""
    outcomes = set()
    for at in range(1, 60):
        place = Place(tmp_path / f"{at}")
        add(place.storage, photo("a", "1"))
        name = write(place.storage, photo("b", "1"))
        place.collect(NOW)
        again: list[Look] = []

        def commit(storage: Storage, name: str = name, again: list[Look] = again) -> None:
            again.extend(commit_segments(storage, MODEL, [name], now=NOW))

        def run(
            act: Callable[[Step], object], place: Place = place, at: int = at
        ) -> InterruptingStorage:
            storage = InterruptingStorage(place.storage, act)
            with storage.interrupted([Interruption(at, "meanwhile", Step("", 0))]):
                collect(storage, storage, place.queued.extend, now=NOW + DAY)
            return storage

        if slept:
            # The run is overtaken by the end of a commit that had begun before.
            with ThreadPoolExecutor(1) as committer:
                asleep, awake = threading.Event(), threading.Event()

                def wait(step: Step, asleep: Event = asleep, awake: Event = awake) -> None:
                    asleep.set()
                    awake.wait()

                sleepy = InterruptingStorage(place.storage, wait)
                with sleepy.interrupted(
                    [Interruption(1, "meanwhile", Step("", 0), "write heads/")]
                ):
                    done = committer.submit(commit, sleepy)
                    done.add_done_callback(lambda _, asleep=asleep: asleep.set())  # type: ignore[misc]
                    asleep.wait()

                    def wake(step: Step, awake: Event = awake, done: Future[None] = done) -> None:
                        awake.set()
                        done.result()

                    run(wake)
                    awake.set()
                    done.result()
        else:
            run(lambda step, commit=commit, place=place: commit(place.storage))  # type: ignore[misc]
        found = shown(gallery(place.storage))  # loads: all that the head names is there
        asked = {look.key for look in (*again, *place.queued)}
        assert found.keys() | asked >= {"a", "b"}
        outcomes.add("b" in found)
    assert outcomes == {True, False}

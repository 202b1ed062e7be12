"""Purge: nothing of a photo is left, in any commit or version, and everything else is.

Covers: purge, named_parts, cleared_galleries.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import UsageError
from lens.gallery import retention
from lens.gallery.commits import commit_key, history
from lens.gallery.current import read_current, swap_current
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Cause, Kind
from lens.gallery.versions import Version
from lens.photos.catalog import Catalog
from lens.photos.thumbnail_store import thumb_key, write_thumbnail
from lens.pipeline.commit import commit_segments
from lens.pipeline.compact import fold
from lens.pipeline.purge import Place, Purged, purge
from lens.pipeline.rollback import rollback
from lens.search.searcher import Searcher
from lens.storage import FileStorage
from tests.histories.interrupting_storage import (
    CrashError,
    InterruptingStorage,
    Interruption,
    Step,
)
from tests.support.small_galleries import (
    DAY,
    NOW,
    add,
    gallery,
    gone,
    head,
    make_live,
    photo,
    shown,
    vector,
    write,
)
from tests.support.tiny_model import write_tiny_model


class Shop:
    """A folder of photos, whose galleries are written by hand."""

    def __init__(self, folder: Path) -> None:
        self.photos = FileStorage(folder / "photos")
        self.storage = FileStorage(folder / "artifacts")
        self.models = [write_tiny_model(self.storage, seed).model_id for seed in range(2)]
        self.model = self.models[0]
        make_live(self.storage, self.model)
        self.told: list[str] = []
        self.invalidated: list[tuple[list[str], list[str]]] = []

    def add(self, *rows: object, model: int = 0) -> None:
        add(self.storage, *rows, model_id=self.models[model])  # type: ignore[arg-type]
        for row in rows:
            if row.photo_id:  # type: ignore[attr-defined]
                write_thumbnail(self.storage, row.photo_id, b"jpeg")  # type: ignore[attr-defined]

    def purge(self, *keys: str, storage: InterruptingStorage | None = None) -> Purged:
        artifacts = storage or self.storage
        return purge(
            Place(Catalog(self.photos), artifacts, artifacts),
            keys,
            say=self.told.append,
            invalidate=lambda keys, photos: self.invalidated.append((keys, photos)),
            clock=lambda: NOW,
        )

    def traces(self, *names: str) -> list[str]:
        """Files of the artifacts that have one of these photo ids in their content or name, or its
        vector."""
        return [
            info.key
            for info in self.storage.list()
            for name in names
            for data in [self.storage.read(info.key)[0]]
            if name in info.key or name.encode() in data or vector(name).tobytes() in data
        ]

    @property
    def shown(self) -> dict[str, str]:
        serving = Searcher(self.storage).refresh()
        assert serving is not None
        return shown(serving.gallery)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def settle(shop: Shop) -> None:
    """Photos in a snapshot, in the tail, replaced ones, and one that is committed by nobody."""
    shop.add(photo("a", "1"), photo("b", "1"), photo("c", "1"))
    shop.add(photo("a", "2"))
    fold(shop.storage, head(shop.storage, shop.model), now=NOW)
    shop.add(photo("d", "1"), photo("a", "3"))
    write(shop.storage, photo("a", "4"), photo("e", "1"), model_id=shop.model)


REST = {"b": "b 1", "c": "c 1", "d": "d 1"}
OLD = ("a 1", "a 2", "a 3", "a 4")


def test_nothing_of_the_photo_is_left_and_everything_else_is(shop: Shop) -> None:
    settle(shop)
    assert len(shop.traces(*OLD)) > 8
    assert shop.purge("a") == Purged(["a"], [])
    assert shop.traces(*OLD) == []
    assert shop.shown == REST | {"e": "e 1"}
    thumbs = {info.key for info in shop.storage.list("thumbs/")}
    assert thumbs == {thumb_key(f"{key} 1") for key in "bcd"}


def test_a_warm_searcher_keeps_no_vector_of_it(shop: Shop) -> None:
    settle(shop)
    warm: list[Gallery] = []

    def refresh(step: Step) -> None:
        """It knows all that is folded, so it need not load the snapshot."""
        warm.append(gallery(shop.storage, shop.model))

    storage = InterruptingStorage(shop.storage, refresh)
    first = Interruption(1, "meanwhile", Step("", 0), of="write snapshots/")
    with storage.interrupted([first]):
        shop.purge("a", storage=storage)
    newer = load_gallery(shop.storage, head(shop.storage, shop.model), warm[0])
    assert newer.snapshot is not None
    assert len(newer.snapshot.index) == newer.photo_count == 4
    assert newer.carried == {}


def test_a_picture_that_was_fetched_is_deleted(shop: Shop) -> None:
    pictures = FileStorage(shop.storage.root / "pictures")
    pictures.write("a", b"a picture")
    settle(shop)
    purge(
        Place(Catalog(shop.photos, pictures=pictures), shop.storage, shop.storage),
        ["a"],
        say=shop.told.append,
    )
    assert pictures.head("a") is None
    assert shop.traces(*OLD) == []
    assert shop.told[0].startswith("a: deleted from ")


def test_its_tombstone_says_why(shop: Shop) -> None:
    settle(shop)
    shop.purge("a")
    known = gallery(shop.storage, shop.model).known
    (row,) = [row for row in map(known.__getitem__, range(len(known))) if row.key == "a"]
    assert (row.kind, row.reason) == (Kind.TOMBSTONE, Cause.TAKEDOWN)
    assert row.version > Version.of_event("4")


def test_a_photo_that_was_deleted_long_before_is_purged_too(shop: Shop) -> None:
    settle(shop)
    shop.add(gone("a", "5"))
    assert shop.purge("a").keys == ["a"]
    assert shop.traces(*OLD) == []


def test_the_only_photo_of_a_shop_can_be_taken_down(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    shop.purge("a")
    assert shop.traces("a 1") == []
    assert shop.shown == {}


def test_many_are_taken_down_at_once(shop: Shop) -> None:
    settle(shop)
    assert shop.purge("a", "c", "d").keys == ["a", "c", "d"]
    assert shop.traces(*OLD, "c 1", "d 1") == []
    assert shop.shown == {"b": "b 1", "e": "e 1"}


def test_a_key_that_nothing_knows_is_told_and_changes_nothing(shop: Shop) -> None:
    settle(shop)
    before = head(shop.storage, shop.model)
    assert shop.purge("nowhere") == Purged([], ["nowhere"])
    assert head(shop.storage, shop.model) == before
    assert shop.purge("nowhere", "a") == Purged(["a"], ["nowhere"])


def test_a_file_that_is_there_is_to_be_deleted_first(shop: Shop) -> None:
    settle(shop)
    shop.photos.write("a", b"a photo")
    before = head(shop.storage, shop.model)
    with pytest.raises(UsageError, match=r"delete .*/photos/a first"):
        shop.purge("c", "a")
    assert head(shop.storage, shop.model) == before


def test_the_thumbnail_stays_while_another_photo_is_the_same(shop: Shop) -> None:
    shop.add(photo("a", "1", photo_id="same"), photo("b", "1", photo_id="same"))
    shop.purge("a")
    assert shop.shown == {"b": "same"}
    assert shop.storage.head(thumb_key("same")) is not None
    shop.purge("b")
    assert shop.storage.head(thumb_key("same")) is None


def test_the_edges_are_told_the_keys_and_the_photos(shop: Shop) -> None:
    settle(shop)
    shop.purge("a")
    assert shop.invalidated[0] == (["a"], list(OLD))


def test_commits_that_named_it_are_gone_and_newer_ones_can_be_gone_back_to(shop: Shop) -> None:
    settle(shop)
    shop.purge("a")
    left = list(history(shop.storage, shop.model))
    shop.add(photo("f", "1"))
    assert len(left) == 1
    assert rollback(shop.storage, now=NOW).commit == left[0].number
    assert "a" not in shop.shown


@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_a_pinned_commit_is_rewritten_and_the_pin_stays(shop: Shop, commit: int) -> None:
    settle(shop)
    rollback(shop.storage, commit=commit, now=NOW)
    before = shop.shown
    shop.purge("a")
    current = read_current(shop.storage)
    assert current is not None
    assert current.pin is not None
    assert current.pin.commit == commit
    assert shop.traces(*OLD) == []
    assert shop.shown == {key: name for key, name in before.items() if key != "a"}


def test_a_pin_that_has_nothing_of_it_stays_as_it_is(shop: Shop) -> None:
    shop.add(photo("b", "1"))
    shop.add(photo("a", "1"))
    pin = rollback(shop.storage, commit=1, now=NOW)
    shop.purge("a")
    current = read_current(shop.storage)
    assert current is not None
    assert current.pin == pin
    assert shop.shown == {"b": "b 1"}


def test_no_rollback_brings_back_what_was_taken_down(shop: Shop) -> None:
    settle(shop)
    rollback(shop.storage, commit=2, now=NOW)
    shop.purge("a")
    for number in (None, 1, 2, 3, 4, 5, 6):
        try:
            rollback(shop.storage, commit=number, now=NOW)
        except Exception:
            continue
        assert "a" not in shop.shown


def test_it_leaves_the_galleries_of_earlier_models_and_of_a_candidate_too(shop: Shop) -> None:
    settle(shop)
    make_live(shop.storage, shop.models[1], shop.model)
    shop.add(photo("a", "3"), photo("b", "1"), model=1)
    candidate = write_tiny_model(shop.storage, 2).model_id
    swap_current(shop.storage, lambda c: c and c.model_copy(update={"candidate": candidate}))
    add(shop.storage, photo("a", "3"), model_id=candidate)
    rollback(shop.storage, model_id=shop.model, now=NOW)
    shop.purge("a")
    assert shop.traces(*OLD) == []
    assert shop.shown == {"b": "b 1"}


def test_an_orphan_too_old_to_be_applied_is_erased(shop: Shop) -> None:
    old = NOW - retention.SEGMENT - 1
    shop.add(photo("b", "1"))
    write(shop.storage, photo("a", "1", at=old), photo("x", "1", at=old), model_id=shop.model)
    shop.purge("a")
    assert shop.traces("a 1") == []
    assert shop.shown == {"b": "b 1"}


def test_what_a_killed_writer_left_of_a_snapshot_is_erased(shop: Shop) -> None:
    settle(shop)
    snapshot = head(shop.storage, shop.model).snapshot
    assert snapshot is not None
    half = f"snapshots/{shop.model}/{'f' * 32}/"
    for name in ("rows.npz", "vectors.npy"):
        data, _ = shop.storage.read(f"snapshots/{shop.model}/{snapshot.id}/{name}")
        shop.storage.write(half + name, data)
    shop.purge("a")
    assert shop.traces(*OLD) == []
    assert shop.shown == REST | {"e": "e 1"}


def test_an_event_of_the_erased_photo_that_comes_late_finds_its_segment_gone(shop: Shop) -> None:
    settle(shop)
    loose = write(shop.storage, photo("a", "5"), photo("g", "1"), model_id=shop.model)
    shop.purge("a")
    assert commit_segments(shop.storage, shop.model, [loose], now=NOW) == []
    assert shop.shown == REST | {"e": "e 1", "g": "g 1"}


def test_a_new_photo_that_comes_under_the_key_meanwhile_stays(shop: Shop) -> None:
    settle(shop)

    def upload(step: Step) -> None:
        info = shop.photos.write("a", b"a new photo")
        shop.add(photo("a", "9")._replace(etag=info.etag))

    storage = InterruptingStorage(shop.storage, upload)
    first = Interruption(1, "meanwhile", Step("", 0), of="write snapshots/")
    with storage.interrupted([first]):
        shop.purge("a", storage=storage)
    assert shop.traces(*OLD) == []
    assert shop.shown == REST | {"e": "e 1", "a": "a 9"}
    assert shop.storage.head(thumb_key("a 9")) is not None


def test_a_new_photo_under_the_key_is_welcome(shop: Shop) -> None:
    settle(shop)
    shop.purge("a")
    shop.add(photo("a", "9", at=NOW + DAY))
    assert shop.shown["a"] == "a 9"


@pytest.mark.slow
@pytest.mark.parametrize("of", ["write ", "delete "])
def test_killed_anywhere_and_run_again_it_ends_whole(tmp_path: Path, of: str) -> None:
    at, killed = 0, True
    while killed:
        at += 1
        shop = Shop(tmp_path / f"{at}")
        settle(shop)
        rollback(shop.storage, commit=3, now=NOW)
        storage = InterruptingStorage(shop.storage, lambda step: None)
        try:
            with storage.interrupted([Interruption(at, "crash after", Step("", 0), of)]):
                shop.purge("a", storage=storage)
            killed = False
        except CrashError:
            shop.purge("a")
        assert shop.traces(*OLD) == [], f"killed at {at}"
        assert shop.shown == {"b": "b 1", "c": "c 1"}
    assert at > 5


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 200, 7))
def test_what_is_committed_meanwhile_stays_and_a_look_that_began_before_does_not(
    tmp_path: Path, at: int
) -> None:
    shop = Shop(tmp_path)
    settle(shop)
    raced: list[Step] = []

    def race(step: Step) -> None:
        raced.append(step)
        shop.add(photo("a", "6"), photo("h", "1"))

    storage = InterruptingStorage(shop.storage, race)
    with storage.interrupted([Interruption(at, "meanwhile", Step("", 0))]):
        shop.purge("a", storage=storage)
    shop.purge("a")  # for a look that ends after the last round
    assert shop.traces(*OLD, "a 6") == []
    assert shop.shown == REST | {"e": "e 1"} | ({"h": "h 1"} if raced else {})


def test_files_of_others_among_the_artifacts_hold_nothing_up_and_stay(shop: Shop) -> None:
    settle(shop)
    others = ["heads/Thumbs.db", "commits/2026/minutes.json", f"segments/{shop.model}/desktop.ini"]
    for key in others:
        shop.storage.write(key, b"{}")
    shop.purge("a")
    assert shop.traces(*OLD) == []
    assert all(shop.storage.head(key) for key in others)


def test_a_commit_that_cannot_be_read_is_taken_for_one_that_names_it(shop: Shop) -> None:
    shop.add(photo("a", "1"), photo("b", "1"))
    broken = commit_key(shop.model, head(shop.storage, shop.model).name)
    shop.add(photo("c", "1"))
    shop.storage.write(broken, b"spoiled, and it may name 'a 1'")
    shop.purge("a")
    assert shop.traces("a 1") == []
    assert any("taken for one that names them: commits/" in line for line in shop.told)
    assert shop.shown == {"b": "b 1", "c": "c 1"}


def test_what_a_repair_has_set_aside_goes_too(shop: Shop) -> None:
    """Nobody can ask it what it has."""
    settle(shop)
    shop.storage.write("damaged/20261127T000000Z/segments/m/s.npz", vector("a 1").tobytes())
    shop.purge("a")
    assert shop.traces(*OLD) == []

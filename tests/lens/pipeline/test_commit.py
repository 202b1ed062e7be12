"""Indexing: segments are taken in once, and never when they are too old or for nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.gallery import retention
from lens.gallery.commits import ProductsRef, read_head
from lens.gallery.condemned import condemn, forget
from lens.gallery.rows import Cause, Kind, Row
from lens.gallery.segments import Segment, write_segment
from lens.gallery.versions import UNSEEN, Look, Version
from lens.photos.catalog import Catalog
from lens.pipeline.commit import (
    commit_feed,
    commit_segments,
    newer_looks,
    uncommitted_segments,
)
from lens.pipeline.compact import fold, merge
from lens.pipeline.feed import look_at_feed
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
    segment,
    shown,
    write,
)


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    storage = FileStorage(tmp_path)
    make_live(storage)
    return storage


def test_segments_may_come_in_any_order(storage: FileStorage) -> None:
    add(storage, gone("a", "2"))
    add(storage, photo("a", "1"), photo("b", "1"))
    assert shown(gallery(storage)) == {"b": "b 1"}


def test_a_segment_that_comes_twice_is_committed_once(storage: FileStorage) -> None:
    name = write(storage, photo("a", "1"))
    for ids in ([name, name], [name]):
        assert commit_segments(storage, MODEL, ids, now=NOW) == []
    assert head(storage).number == 1


def test_a_segment_that_was_folded_is_not_committed_again(storage: FileStorage) -> None:
    name = write(storage, photo("a", "1"))
    commit_segments(storage, MODEL, [name], now=NOW)
    fold(storage, head(storage), now=NOW)
    assert commit_segments(storage, MODEL, [name], now=NOW) == []
    assert head(storage).segments == ()


def test_a_compactors_segment_is_not_committed(storage: FileStorage) -> None:
    for key in "ab":
        add(storage, photo(key, "1"))
    merge(storage, head(storage), now=NOW)
    merged = head(storage)
    assert commit_segments(storage, MODEL, merged.tail_ids, now=NOW) == []
    add(storage, photo("c", "1"))
    assert commit_segments(storage, MODEL, merged.tail_ids, now=NOW) == []
    assert len(head(storage).segments) == 2


def test_a_compactors_segment_that_lost_its_race_is_not_committed(storage: FileStorage) -> None:
    content = segment(photo("a", "1"))
    lost = write_segment(storage, MODEL, Segment(content.rows, content.vectors, ("0" * 32,)))
    assert commit_segments(storage, MODEL, [lost], now=NOW) == []
    assert read_head(storage, MODEL).number == 0


@pytest.mark.parametrize("kind", ["commits", "heads"])
def test_a_segment_is_committed_once_though_the_answer_was_lost(
    storage: FileStorage, kind: str
) -> None:
    name = write(storage, photo("a", "1"))
    forgetful = InterruptingStorage(storage, lambda step: None)
    plan = [Interruption(1, "lost answer", Step("", 0), of=f"write {kind}/")]
    with forgetful.interrupted(plan):
        assert commit_segments(forgetful, MODEL, [name], now=NOW) == []
    assert [ref.id for ref in head(storage).segments] == [name]
    assert head(storage).number == 1


def test_a_segment_older_than_the_queues_allow_is_looked_at_again(storage: FileStorage) -> None:
    name = write(storage, photo("a", "1"), gone("b", "2"))
    later = NOW + retention.SEGMENT + 1
    again = commit_segments(storage, MODEL, [name], now=later)
    assert again == [Look("a", Version("1"), MODEL)]
    assert read_head(storage, MODEL).number == 0


def test_of_an_old_segment_only_what_the_gallery_does_not_know_is_looked_at_again(
    storage: FileStorage,
) -> None:
    add(storage, photo("a", "1"), photo("b", "1"), photo("c", "1"), photo("d", "1"))
    fold(storage, head(storage), now=NOW)
    add(storage, photo("b", "2"), gone("c", "2"))
    name = write(storage, photo("a", "1"), photo("b", "1"), photo("c", "1"), photo("d", "2"))
    again = commit_segments(storage, MODEL, [name], now=NOW + retention.SEGMENT + 1)
    assert again == [Look("d", Version("2"), MODEL)]


def test_an_old_segment_of_a_photo_that_still_waits_asks_for_nothing(storage: FileStorage) -> None:
    (storage.root / "formats.json").write_text('{"newest": 2, "at": 0, "began": 2}')
    waits = Row("a", Version("2"), Kind.WAITING, NOW, "etag", reason="archived")
    add(storage, photo("a", "1"))
    add(storage, waits)
    fold(storage, head(storage), now=NOW)
    name = write(storage, waits)
    assert commit_segments(storage, MODEL, [name], now=NOW + retention.SEGMENT + 1) == []


def test_segments_that_left_the_log_of_folds_ask_for_nothing_at_the_next_start(
    storage: FileStorage,
) -> None:
    add(storage, photo("a", "1"))
    fold(storage, head(storage), now=NOW)
    add(storage, photo("b", "1", at=NOW + DAY), now=NOW + DAY)
    fold(storage, head(storage), now=NOW + DAY)
    left = uncommitted_segments(storage, MODEL)
    assert len(left) == 1
    assert commit_segments(storage, MODEL, left, now=NOW + DAY) == []


def test_a_segment_that_a_collector_is_about_to_remove_is_looked_at_again(
    storage: FileStorage,
) -> None:
    name = write(storage, photo("a", "1"))
    condemn(storage, [f"segments/{MODEL}/{name}.npz"])
    assert commit_segments(storage, MODEL, [name], now=NOW) == [Look("a", Version("1"), MODEL)]
    assert shown(gallery(storage)) == {}


def test_products_that_a_collector_is_about_to_remove_are_looked_at_again(
    storage: FileStorage, tmp_path: Path
) -> None:
    (tmp_path / "formats.json").write_text('{"newest": 2, "at": 0, "began": 2}')
    catalog = Catalog(FileStorage(tmp_path / "photos"))
    catalog.storage.write("products.csv", b"id,title\na,A\n")
    key = look_at_feed(storage, catalog, MODEL)
    assert key is not None
    table = key.replace("manifest.json", "table.npz")
    condemn(storage, [table])
    again = commit_feed(storage, MODEL, [key.split("/")[2]], now=NOW)
    assert [look.key for look in again] == ["products.csv"]
    assert head(storage).products is None
    forget(storage, [table])
    storage.delete(table)
    assert commit_feed(storage, MODEL, [key.split("/")[2]], now=NOW) == again
    assert head(storage).products is None


def test_a_segment_of_a_retired_model_is_looked_at_again(storage: FileStorage) -> None:
    name = write(storage, photo("a", "1"))
    make_live(storage, "tiny-b", MODEL)
    assert commit_segments(storage, MODEL, [name], now=NOW) == [Look("a", Version("1"))]
    assert read_head(storage, MODEL).number == 0


def test_a_segment_that_is_gone_holds_up_no_other(storage: FileStorage) -> None:
    names = ["0" * 32, write(storage, photo("a", "1"))]
    assert commit_segments(storage, MODEL, names, now=NOW) == []
    assert shown(gallery(storage)) == {"a": "a 1"}


def test_what_a_killed_process_did_not_commit_is_found(storage: FileStorage) -> None:
    for key in "abc":
        add(storage, photo(key, "1"))
    merge(storage, head(storage), now=NOW)
    left = write(storage, photo("d", "1"))
    assert uncommitted_segments(storage, MODEL) == [left]
    fold(storage, head(storage), now=NOW)
    assert uncommitted_segments(storage, MODEL) == [left]


def test_what_is_new_of_a_batch_is_one_commit_and_the_rest_is_left_alone(
    storage: FileStorage,
) -> None:
    known = write(storage, photo("a", "1"))
    commit_segments(storage, MODEL, [known], now=NOW)
    fold(storage, head(storage), now=NOW)
    tail = write(storage, photo("b", "1"))
    commit_segments(storage, MODEL, [tail], now=NOW)
    new = [write(storage, photo(key, "1")) for key in "cd"]
    before = head(storage).number
    assert commit_segments(storage, MODEL, [known, tail, *new, new[0]], now=NOW) == []
    assert [ref.id for ref in head(storage).segments] == [tail, *new]
    assert [ref.rows for ref in head(storage).segments] == [1, 1, 1]
    assert head(storage).number == before + 1


def test_an_empty_segment_is_passed_over(storage: FileStorage) -> None:
    names = [write(storage), write(storage, photo("a", "1"))]
    assert commit_segments(storage, MODEL, names, now=NOW) == []
    assert head(storage).tail_ids == {names[1]}


@pytest.mark.parametrize("age", [retention.SEGMENT, retention.SEGMENT + 1])
def test_a_segment_is_applied_as_long_as_the_collector_spares_it(
    storage: FileStorage, age: float
) -> None:
    names = [write(storage, photo("a", "1"), photo("b", "1", at=NOW + DAY))]
    again = commit_segments(storage, MODEL, names, now=NOW + age)
    applied = age == retention.SEGMENT
    assert (head(storage).number == 1) == applied
    assert {look.key for look in again} == (set() if applied else {"a", "b"})


def test_what_an_old_segment_knows_of_what_is_gone_is_no_news_where_nothing_is_there(
    storage: FileStorage,
) -> None:
    add(storage, photo("a", "1"), photo("b", "2"))
    name = write(storage, gone("a", "2"), gone("b", "1"), gone("c", "9"))
    again = commit_segments(storage, MODEL, [name], now=NOW + DAY)
    assert again == [Look("a", Version("2"), MODEL)]
    assert [look.cause for look in again] == [Cause.AGAIN]


def test_looks_of_segments_that_are_committed_already_ask_for_nothing(
    storage: FileStorage,
) -> None:
    add(storage, photo("a", "1"))
    assert newer_looks(storage, head(storage), []) == []
    rows = segment(photo("a", "1"), photo("a", "0")).rows
    assert newer_looks(storage, head(storage), [rows]) == []


def test_a_batch_whose_model_is_retired_meanwhile_goes_to_its_successor(
    storage: FileStorage,
) -> None:
    name = write(storage, photo("a", "1"))
    rival = InterruptingStorage(storage, lambda step: make_live(storage, "tiny-b", MODEL))
    with rival.interrupted([Interruption(1, "meanwhile", Step("", 0), "write heads/")]):
        again = commit_segments(rival, MODEL, [name], now=NOW)
    assert again == [Look("a", Version("1"))]
    assert head(storage).tail_ids == {name}
    assert [look.cause for look in again] == [Cause.AGAIN]


def test_a_segment_that_is_folded_while_it_is_committed_is_not_added_again(
    storage: FileStorage,
) -> None:
    name = write(storage, photo("a", "1"))

    def faster(step: Step) -> None:
        commit_segments(storage, MODEL, [name], now=NOW)
        fold(storage, head(storage), now=NOW)

    rival = InterruptingStorage(storage, faster)
    with rival.interrupted([Interruption(1, "meanwhile", Step("", 0), "write heads/")]):
        assert commit_segments(rival, MODEL, [name], now=NOW) == []
    assert head(storage).segments == ()
    assert shown(gallery(storage)) == {"a": "a 1"}


@pytest.fixture
def feeds(storage: FileStorage, tmp_path: Path) -> list[str]:
    """Two looks at a product file that changed between them, in artifacts that have products."""
    (tmp_path / "formats.json").write_text('{"newest": 2, "at": 0, "began": 2}')
    catalog = Catalog(FileStorage(tmp_path / "photos"))
    ids = []
    for text in (b"id,title\na,A\nb,B\n", b"id,title\na,A\n"):
        catalog.storage.write("products.csv", text)
        key = look_at_feed(storage, catalog, MODEL)
        assert key is not None
        ids.append(key.split("/")[2])
    return ids


def test_the_head_names_products_and_how_many_they_are(
    storage: FileStorage, feeds: list[str]
) -> None:
    ids = ["0" * 32, feeds[0], feeds[0]]
    assert commit_feed(storage, MODEL, ids, now=NOW) == []
    assert head(storage).products == ProductsRef(id=feeds[0], products=2)
    assert (head(storage).number, head(storage).created_at) == (1, NOW)


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 0]])
def test_a_look_that_another_has_overtaken_is_done_again(
    storage: FileStorage, feeds: list[str], order: list[int]
) -> None:
    again = commit_feed(storage, MODEL, [feeds[number] for number in order], now=NOW)
    assert again == [Look("products.csv", UNSEEN.bumped(), MODEL)]
    assert head(storage).products == ProductsRef(id=feeds[0], products=2)


def test_products_of_a_retired_model_are_for_nobody(storage: FileStorage, feeds: list[str]) -> None:
    make_live(storage, "tiny-b", MODEL)
    assert commit_feed(storage, MODEL, feeds, now=NOW) == []
    assert head(storage).number == 0

"""Commits: a head is advanced by one writer after the other, and its history is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lens.errors import ArtifactError, ConflictError, DamagedError, MissingError
from lens.gallery import retention
from lens.gallery.assortment import Products
from lens.gallery.commits import (
    Commit,
    CommitName,
    ProductsRef,
    SegmentRef,
    advance_head,
    commit_key,
    head_key,
    headed_models,
    history,
    keeps_products,
    kept_history,
    listed_commits,
    parse_head_key,
    read_commit,
    read_head,
    restore_head,
)
from lens.gallery.condemned import condemn, forget
from lens.gallery.product_tables import ProductsManifest, write_look, write_table
from lens.gallery.segments import segment_key
from lens.gallery.snapshots import SnapshotRef, write_snapshot
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import (
    CrashError,
    How,
    InterruptingStorage,
    Interruption,
    Step,
)
from tests.support.small_galleries import DAY, MODEL, NOW, make_live, photo, segment


def add(storage: FileStorage | InterruptingStorage, name: str, now: float = NOW) -> Commit:
    bare = storage.storage if isinstance(storage, InterruptingStorage) else storage
    bare.write(segment_key(MODEL, name), b"a segment")

    def change(newest: Commit) -> Commit | None:
        if name in newest.tail_ids:
            return None
        ref = SegmentRef(id=name, rows=1)
        return newest.model_copy(update={"segments": (*newest.segments, ref)})

    return advance_head(storage, MODEL, change, now=now)


def interrupted(folder: Path, at: int, how: How) -> tuple[InterruptingStorage, list[Interruption]]:
    bare = FileStorage(folder)
    storage = InterruptingStorage(bare, lambda step: add(bare, step.name))
    return storage, [Interruption(at, how, Step("theirs", 0))]


@pytest.mark.parametrize("at", range(1, 7))
def test_of_two_committers_at_once_neither_loses_a_segment(tmp_path: Path, at: int) -> None:
    storage, plan = interrupted(tmp_path, at, "meanwhile")
    with storage.interrupted(plan):
        head = add(storage, "mine")
    assert head.tail_ids == {"theirs", "mine"}
    assert head.number == 2
    assert [commit.number for commit in history(storage, MODEL)] == [2, 1]


@pytest.mark.parametrize("at", [5, 6])
def test_a_commit_whose_answer_was_lost_is_made_once(tmp_path: Path, at: int) -> None:
    storage, plan = interrupted(tmp_path, at, "lost answer")
    with storage.interrupted(plan):
        head = add(storage, "mine")
    assert (head.number, [ref.id for ref in head.segments]) == (1, ["mine"])
    assert read_commit(storage, MODEL, head.name) == head


def test_a_commit_that_no_head_names_is_not_history(tmp_path: Path) -> None:
    storage, plan = interrupted(tmp_path, 6, "crash before")
    with storage.interrupted(plan), pytest.raises(CrashError):
        add(storage, "mine")
    assert len(list(storage.list("commits/"))) == 1
    assert read_head(storage, MODEL).number == 0
    assert add(storage, "again").number == 1
    assert [commit.tail_ids for commit in history(storage, MODEL)] == [{"again"}]


def test_history_ends_where_the_collector_has_cut(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    first, _, _ = (add(storage, name) for name in "abc")
    storage.delete(f"commits/{MODEL}/00000001-{first.id}.json")
    assert [commit.number for commit in history(storage, MODEL)] == [3, 2]
    with pytest.raises(MissingError) as raised:
        read_commit(storage, MODEL, first.name)
    assert raised.value.key == commit_key(MODEL, first.name)


def test_history_begins_anew_with_a_first_commit(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    begun = advance_head(storage, MODEL, lambda newest: newest, now=NOW, first=True)
    assert (begun.number, begun.parent) == (2, None)
    assert begun.tail_ids == {"a"}
    assert [commit.number for commit in history(storage, MODEL)] == [2]


def test_a_commit_names_no_part_that_is_gone(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    ref = SegmentRef(id="gone", rows=1)
    head = advance_head(
        storage,
        MODEL,
        lambda newest: newest.model_copy(update={"segments": (*newest.segments, ref)}),
        now=NOW,
    )
    assert head.tail_ids == {"a"}


def test_a_commit_names_no_part_that_a_collector_is_about_to_remove(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    condemn(storage, [segment_key(MODEL, "b")])
    assert add(storage, "b").tail_ids == {"a"}
    forget(storage, [segment_key(MODEL, "b")])
    assert add(storage, "b").tail_ids == {"a", "b"}


def test_a_commit_may_keep_what_is_condemned_once_a_head_names_it(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    condemn(storage, [segment_key(MODEL, "a")])
    assert add(storage, "b").tail_ids == {"a", "b"}


def test_a_head_that_is_lost_is_no_beginning(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    for name in ("one", "two"):
        add(storage, name)
    storage.delete(f"heads/{MODEL}.json")
    acts: tuple[Callable[[], object], ...] = (
        lambda: read_head(storage, MODEL),
        lambda: add(storage, "three"),
    )
    for act in acts:
        with pytest.raises(MissingError, match="`lens repair`") as raised:
            act()
        assert raised.value.key == f"heads/{MODEL}.json"
    assert [name.number for name in listed_commits(storage, MODEL)] == [2, 1]


def test_before_the_first_commit_there_is_an_empty_one(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    nothing = Commit(model_id=MODEL, number=0, id="", parent=None, created_at=0.0)
    assert read_head(storage, MODEL) == nothing
    assert advance_head(storage, MODEL, lambda head: None, now=NOW) == nothing
    assert list(storage.list()) == []
    assert list(history(storage, MODEL)) == list(kept_history(storage, MODEL, now=NOW)) == []
    assert listed_commits(storage, MODEL) == []


def test_a_commit_has_its_own_name_and_time_and_its_parent_s_name(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    first, second = add(storage, "a", NOW), add(storage, "b", NOW + 1)
    assert (first.number, first.parent, first.created_at) == (1, None, NOW)
    assert (second.number, second.parent, second.created_at) == (2, first.name, NOW + 1)
    assert first.name == CommitName(number=1, id=first.id)
    assert first.id != second.id
    assert read_head(storage, MODEL) == second
    assert read_commit(storage, MODEL, first.name) == first
    storage.write(f"commits/{MODEL}/notes.json", b"{}")
    assert listed_commits(storage, MODEL) == [second.name, first.name]
    assert advance_head(storage, MODEL, lambda head: None, now=NOW + 2) == second


def test_a_commit_is_empty_where_it_names_nothing() -> None:
    empty = Commit(model_id=MODEL, number=3, id="c", parent=None, created_at=NOW)
    assert empty.is_empty is True
    assert (empty.tail_ids, empty.tail_rows) == (frozenset(), 0)
    tail = (SegmentRef(id="a", rows=2), SegmentRef(id="b", rows=3))
    some = empty.model_copy(update={"segments": tail})
    assert (some.tail_ids, some.tail_rows) == (frozenset({"a", "b"}), 5)
    named = (
        {"snapshot": SnapshotRef(id="s", rows=1, parent=None)},
        {"segments": tail},
        {"products": ProductsRef(id="p", products=1)},
    )
    assert [empty.model_copy(update=each).is_empty for each in named] == [False] * 3


def test_keys_tell_the_model_and_the_commit() -> None:
    assert head_key("m") == "heads/m.json"
    assert parse_head_key("heads/m.json") == "m"
    assert commit_key("m", CommitName(number=7, id="ab")) == "commits/m/00000007-ab.json"
    for key in ("heads/m.txt", "heads/m/n.json", "commits/m.json", "m"):
        with pytest.raises(ArtifactError, match="is not a head's name"):
            parse_head_key(key)


def test_what_else_lies_among_the_heads_is_no_model(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    for key in ("heads/Thumbs.db", "heads/old/m.json", "heads/notes.json.txt"):
        storage.write(key, b"")
    assert headed_models(storage) == [MODEL]


def test_a_head_or_commit_that_lies_in_another_s_place_is_damaged(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    first, second = add(storage, "a"), add(storage, "b")
    storage.write(head_key("other"), storage.read(head_key(MODEL))[0])
    acts: tuple[Callable[[], object], ...] = (
        lambda: read_head(storage, "other"),
        lambda: advance_head(storage, "other", lambda head: head, now=NOW),
    )
    for act in acts:
        with pytest.raises(DamagedError, match=f"it is that of {MODEL}") as raised:
            act()
        assert raised.value.key == head_key("other")
    storage.write(commit_key(MODEL, first.name), storage.read(commit_key(MODEL, second.name))[0])
    with pytest.raises(DamagedError, match=f"it is commit 2 of {MODEL}"):
        read_commit(storage, MODEL, first.name)


def test_a_head_that_comes_while_one_is_looked_for_is_read(tmp_path: Path) -> None:
    bare = FileStorage(tmp_path)
    storage = InterruptingStorage(bare, lambda step: [add(bare, name) for name in "ab"])
    with storage.interrupted([Interruption(1, "meanwhile", Step("", 0), "list commits/")]):
        assert read_head(storage, MODEL).number == 2


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_first_commit_that_no_head_came_to_name_is_no_lost_head(
    tmp_path: Path, first: str
) -> None:
    storage = FileStorage(tmp_path)
    left = add(storage, first)
    storage.delete(head_key(MODEL))
    assert read_head(storage, MODEL).number == 0
    assert add(storage, "a").number == 1
    assert {name.id for name in listed_commits(storage, MODEL)} >= {left.id}


def a_snapshot(storage: FileStorage) -> SnapshotRef:
    content = segment(photo("a", "1"))
    return write_snapshot(storage, MODEL, content, parent=None, folded=(), expired_tombstones=0)


def some_products(storage: FileStorage) -> ProductsRef:
    look = ProductsManifest(
        id="1" * 32,
        model_id=MODEL,
        previous=None,
        file="products.csv",
        etag="e",
        whole=write_table(storage, MODEL, "1" * 32, Products.of([])),
    )
    write_look(storage, look)
    return ProductsRef(id=look.id, products=0)


@pytest.mark.parametrize("part", ["snapshot", "products"])
def test_a_commit_names_a_snapshot_or_products_that_are_whole_and_stay(
    tmp_path: Path, part: str
) -> None:
    storage = FileStorage(tmp_path)
    announce_format(storage, NOW)
    make_live(storage, MODEL)
    ref = a_snapshot(storage) if part == "snapshot" else some_products(storage)

    def name(wanted: object, now: float = NOW) -> Commit:
        return advance_head(
            storage, MODEL, lambda head: head.model_copy(update={part: wanted}), now=now
        )

    files = [info.key for info in storage.list(f"{part}s/".replace("ss/", "s/"))]
    assert len(files) > 1
    for file in files:
        condemn(storage, [file])
        assert name(ref).number == 0
        forget(storage, [file])
    gone = ref.model_copy(update={"id": "2" * 32})
    assert name(gone).number == 0
    named = name(ref)
    assert (named.number, getattr(named, part)) == (1, ref)
    # What the head names already is not asked for again.
    condemn(storage, files)
    assert name(ref).number == 2
    assert name(None).number == 3
    assert name(ref).number == 3


def test_a_commit_that_names_nothing_new_needs_nothing(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    storage.delete(segment_key(MODEL, "a"))
    assert advance_head(storage, MODEL, lambda head: head, now=NOW).number == 2
    emptied = advance_head(
        storage, MODEL, lambda head: head.model_copy(update={"segments": ()}), now=NOW
    )
    assert (emptied.number, emptied.is_empty) == (3, True)


def test_a_head_is_restored_in_the_place_of_the_bytes_that_were_seen(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    commit = add(storage, "b").model_copy(update={"number": 7, "id": "7" * 32})
    broken = storage.write(head_key(MODEL), b"broken")
    with pytest.raises(ConflictError):
        restore_head(storage, commit, None)
    with pytest.raises(ConflictError):
        restore_head(storage, commit, "another")
    restore_head(storage, commit, broken.etag)
    assert read_head(storage, MODEL) == read_commit(storage, MODEL, commit.name) == commit


def test_so_many_commits_are_kept_and_none_that_was_replaced_too_long_ago(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    for number in range(retention.COMMITS + 2):
        add(storage, str(number), NOW + number)
    last = retention.COMMITS + 2

    def kept(now: float) -> list[int]:
        return [commit.number for commit in kept_history(storage, MODEL, now=now)]

    assert kept(NOW + last) == list(range(last, 2, -1))
    # The newest is kept however old it is; one whose successor was made just so long ago, too.
    assert kept(NOW + 90 * DAY + retention.PIN) == [last]
    assert kept(NOW + last - 1 + retention.PIN) == [last, last - 1]
    assert kept(NOW + last - 2 + retention.PIN) == [last, last - 1, last - 2]


def test_heads_name_products_once_no_earlier_release_reads_them(tmp_path: Path) -> None:
    new, old = FileStorage(tmp_path / "new"), FileStorage(tmp_path / "old")
    assert keeps_products(new) is False
    announce_format(new, NOW)
    assert keeps_products(new) is True
    make_live(old)
    announce_format(old, NOW)
    assert keeps_products(old) is False

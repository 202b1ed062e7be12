"""Commits: a head is advanced by one writer after the other, and its history is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lens.errors import MissingError, NotFoundError
from lens.gallery.commits import (
    Commit,
    SegmentRef,
    advance_head,
    history,
    listed_commits,
    read_commit,
    read_head,
)
from lens.storage import FileStorage
from tests.histories.interrupting_storage import (
    CrashError,
    How,
    InterruptingStorage,
    Interruption,
    Step,
)
from tests.support.small_galleries import MODEL, NOW


def add(storage: FileStorage | InterruptingStorage, name: str) -> Commit:
    def change(newest: Commit) -> Commit | None:
        if name in newest.tail_ids:
            return None
        ref = SegmentRef(id=name, rows=1)
        return newest.model_copy(update={"segments": (*newest.segments, ref)})

    return advance_head(storage, MODEL, change, now=NOW)


def interrupted(folder: Path, at: int, how: How) -> tuple[InterruptingStorage, list[Interruption]]:
    bare = FileStorage(folder)
    storage = InterruptingStorage(bare, lambda step: add(bare, step.name))
    return storage, [Interruption(at, how, Step("theirs", 0))]


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_of_two_committers_at_once_neither_loses_a_segment(tmp_path: Path, at: int) -> None:
    storage, plan = interrupted(tmp_path, at, "meanwhile")
    with storage.interrupted(plan):
        head = add(storage, "mine")
    assert head.tail_ids == {"theirs", "mine"}
    assert head.number == 2
    assert [commit.number for commit in history(storage, MODEL)] == [2, 1]


@pytest.mark.parametrize("at", [3, 4])  # after the head is read, and the history listed
def test_a_commit_whose_answer_was_lost_is_made_once(tmp_path: Path, at: int) -> None:
    storage, plan = interrupted(tmp_path, at, "lost answer")
    with storage.interrupted(plan):
        head = add(storage, "mine")
    assert (head.number, [ref.id for ref in head.segments]) == (1, ["mine"])
    assert read_commit(storage, MODEL, head.name) == head


def test_a_commit_that_no_head_names_is_not_history(tmp_path: Path) -> None:
    storage, plan = interrupted(tmp_path, 4, "crash before")
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
    with pytest.raises(NotFoundError):
        read_commit(storage, MODEL, first.name)


def test_history_begins_anew_with_a_first_commit(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    add(storage, "a")
    begun = advance_head(storage, MODEL, lambda newest: newest, now=NOW, first=True)
    assert (begun.number, begun.parent) == (2, None)
    assert begun.tail_ids == {"a"}
    assert [commit.number for commit in history(storage, MODEL)] == [2]


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

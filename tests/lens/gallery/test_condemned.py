"""Condemned: what a collector is about to remove is named by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.gallery.condemned import KEY, condemn, forget, may_be_named, read_condemned
from lens.storage import FileStorage
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path)


def test_nothing_is_condemned_at_first_nor_where_nothing_is_to_be(storage: FileStorage) -> None:
    condemn(storage, [])
    forget(storage, ["a"])
    assert read_condemned(storage) == frozenset()
    assert list(storage.list()) == []


def test_of_two_collectors_each_forgets_its_own(storage: FileStorage) -> None:
    condemn(storage, ["a", "b"])
    condemn(storage, ["b", "c"])
    forget(storage, ["a", "b"])
    assert read_condemned(storage) == {"c"}


def test_only_what_is_there_and_stays_may_be_named(storage: FileStorage) -> None:
    for key in "ab":
        storage.write(key, b"")
    condemn(storage, ["b"])
    assert may_be_named(storage, ["a"])
    assert not may_be_named(storage, ["a", "b"])
    assert not may_be_named(storage, ["a", "c"])


def test_what_is_condemned_is_written_once_and_kept_when_another_is(storage: FileStorage) -> None:
    condemn(storage, ["b", "a"])
    before = storage.head(KEY)
    condemn(storage, ["a"])
    forget(storage, ["x"])
    assert storage.head(KEY) == before
    assert read_condemned(storage) == {"a", "b"}
    forget(storage, ["a", "b"])
    assert read_condemned(storage) == frozenset()


def test_nothing_at_all_may_always_be_named(storage: FileStorage) -> None:
    condemn(storage, ["a"])
    assert may_be_named(storage, []) is True
    storage.write("a", b"")
    assert may_be_named(storage, ["a"]) is False
    assert may_be_named(storage, ["b"]) is False


def test_a_collector_that_removes_meanwhile_is_noticed(storage: FileStorage) -> None:
    """It forgets a key only after that is gone, so it is asked what is condemned first."""
    storage.write("a", b"")
    condemn(storage, ["a"])

    def collect(step: Step) -> None:
        storage.delete("a")
        forget(storage, ["a"])

    interrupting = InterruptingStorage(storage, collect)
    for at in (1, 2):
        with interrupting.interrupted([Interruption(at, "meanwhile", Step("", 0))]):
            assert may_be_named(interrupting, ["a"]) is False
        storage.write("a", b"")
        condemn(storage, ["a"])

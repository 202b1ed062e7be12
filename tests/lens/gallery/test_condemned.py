"""Condemned: what a collector is about to remove is named by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.gallery.condemned import condemn, forget, may_be_named, read_condemned
from lens.storage import FileStorage


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

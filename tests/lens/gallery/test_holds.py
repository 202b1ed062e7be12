"""Holds: written down with all their keys, so that to allow one says nothing of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import UsageError
from lens.gallery.holds import (
    KEY,
    Hold,
    allow_deletions,
    change_holds,
    hold_id,
    read_held,
    read_holds,
)
from lens.storage import FileStorage


def hold(*keys: str) -> Hold:
    return Hold.on(keys, model_id="m", since=1.0, photos=len(keys), of=9)


def test_a_hold_keeps_its_keys_and_some_examples() -> None:
    keys = [f"{number:03}.jpg" for number in range(300)]
    held = hold(*keys)
    assert held.keys == set(keys)
    assert held.examples == tuple(keys[:5])
    assert len(held.packed) < 2_000
    assert held.id == hold_id(reversed(keys))
    fewer = held.only(keys[:2])
    assert (fewer.id, fewer.photos, fewer.keys) == (held.id, 2, frozenset(keys[:2]))


def test_only_the_hold_that_is_named_is_allowed(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    first, second = hold("a.jpg"), hold("b.jpg")
    change_holds(storage, lambda old: (*old, first, second))
    allow_deletions(storage, first.id)
    assert [each.id for each in read_held(storage)] == [second.id]
    assert [each.allowed for each in read_holds(storage)] == [True, False]


def test_an_unknown_hold_is_refused_and_the_others_are_named(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    with pytest.raises(UsageError, match="no hold 'x'; there are: none"):
        allow_deletions(storage, "x")
    change_holds(storage, lambda old: (hold("a.jpg"),))
    with pytest.raises(UsageError, match=rf"{hold('a.jpg').id} \(1 photos\)"):
        allow_deletions(storage, "x")


@pytest.mark.parametrize("damage", [b"", b"{", b'{"holds": 7}'])
def test_a_damaged_document_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    storage = FileStorage(tmp_path)
    storage.write(KEY, damage)
    assert read_holds(storage) == ()
    change_holds(storage, lambda old: (*old, hold("a.jpg")))
    assert read_holds(storage) == (hold("a.jpg"),)

"""Holds: written down with all their keys, so that to allow one says nothing of another."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from zlib import compress

import pytest

from lens.errors import DamagedError, UsageError
from lens.gallery.holds import (
    KEY,
    Hold,
    allow_deletions,
    change_holds,
    check_holds,
    hold_id,
    read_held,
    read_holds,
)
from lens.storage import FileStorage
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step


def hold(*keys: str) -> Hold:
    return Hold.on(keys, model_id="m", since=1.0, photos=len(keys), of=9)


def test_a_hold_keeps_its_keys_and_some_examples() -> None:
    keys = [f"{number:03}.jpg" for number in range(300)]
    held = hold(*keys)
    assert held.keys == set(keys)
    assert held.examples == tuple(keys[:5])
    assert len(held.packed) < 2_000
    assert held.id == hold_id(reversed(keys))
    assert len(held.id) == 8
    assert (held.model_id, held.since, held.photos, held.of) == ("m", 1.0, 300, 9)
    assert not held.allowed
    fewer = held.only(keys[:2])
    assert (fewer.id, fewer.photos, fewer.keys) == (held.id, 2, frozenset(keys[:2]))
    assert fewer.examples == tuple(keys[:2])


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


def _with_keys(packed: str) -> bytes:
    """As an earlier release wrote it, without a checksum."""
    fields = hold("a.jpg").model_dump(mode="json") | {"packed": packed}
    return json.dumps({"format": 1, "holds": [fields]}).encode()


DAMAGES = {
    "empty": b"",
    "cut": b"{",
    "of another kind": b'{"holds": 7}',
    "keys that are not text": _with_keys("%"),
    "keys that do not unpack": _with_keys("AAAA"),
    "keys that are no list": _with_keys(b64encode(compress(b"7")).decode()),
    "keys that are no names": _with_keys(b64encode(compress(b"[7]")).decode()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_document_is_told_and_made_anew(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    storage = FileStorage(tmp_path)
    storage.write(KEY, damage)
    with pytest.raises(DamagedError, match=KEY):
        check_holds(storage)
    assert read_holds(storage) == ()
    assert f"{KEY} is damaged" in caplog.text
    assert "made anew" in caplog.text
    assert change_holds(storage, lambda old: (*old, hold("a.jpg"))) == (hold("a.jpg"),)
    assert read_holds(storage) == (hold("a.jpg"),)
    check_holds(storage)


def test_before_there_is_anything_to_hold_nothing_is_written(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    assert read_holds(storage) == read_held(storage) == ()
    assert change_holds(storage, lambda old: old) == ()
    assert list(storage.list()) == []


def test_the_newest_seventy_are_kept(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    many = tuple(hold(f"{number}.jpg") for number in range(72))
    assert change_holds(storage, lambda old: many) == many[-70:]
    assert read_holds(storage) == many[-70:]


def test_of_two_who_hold_at_once_neither_loses_its_hold(tmp_path: Path) -> None:
    bare, mine, theirs = FileStorage(tmp_path), hold("a.jpg"), hold("b.jpg")
    storage = InterruptingStorage(bare, lambda step: change_holds(bare, lambda old: (*old, theirs)))
    with storage.interrupted([Interruption(1, "meanwhile", Step("", 0), f"write {KEY}")]):
        assert change_holds(storage, lambda old: (*old, mine)) == (theirs, mine)
    assert allow_deletions(storage, mine.id) == mine.model_copy(update={"allowed": True})

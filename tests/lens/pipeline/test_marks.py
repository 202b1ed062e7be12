"""The marks that collect keeps: the grace begins when an object was last seen to be unreachable."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.gallery import retention
from lens.gallery.commits import advance_head
from lens.gallery.segments import segment_key
from lens.pipeline.collect import collect
from lens.storage import FileStorage
from tests.support.small_galleries import DAY, MODEL, NOW, add, head, make_live, photo

# What the disk says of a file's age is now, the test's own time; the tests' clock is far ahead.
HOUR = DAY / 24


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    storage = FileStorage(tmp_path)
    make_live(storage)
    return storage


def run(storage: FileStorage, now: float) -> int:
    return collect(storage, storage, lambda looks: None, now=now)


def leave_out(storage: FileStorage) -> str:
    """Let the head name no segment, and its history begin there; the key of the one left out."""
    add(storage, photo("a", "1"))
    (ref,) = head(storage).segments
    advance_head(
        storage,
        MODEL,
        lambda newest: newest.model_copy(update={"segments": ()}),
        now=NOW,
        first=True,
    )
    return segment_key(MODEL, ref.id)


def test_what_is_unreachable_goes_after_the_grace_and_not_before(storage: FileStorage) -> None:
    key = leave_out(storage)
    run(storage, NOW)
    run(storage, NOW + retention.GRACE - HOUR)
    assert storage.head(key)
    run(storage, NOW + retention.GRACE)
    assert storage.head(key) is None


def test_the_grace_begins_anew_when_an_object_was_reachable_meanwhile(
    storage: FileStorage,
) -> None:
    add(storage, photo("a", "1"))
    named = head(storage)
    key = segment_key(MODEL, named.segments[0].id)

    def name(segments: tuple[object, ...], now: float) -> None:
        advance_head(
            storage,
            MODEL,
            lambda newest: newest.model_copy(update={"segments": segments}),
            now=now,
            first=True,
        )
        run(storage, now)

    name((), NOW)
    name(named.segments, NOW + HOUR)
    name((), NOW + 2 * HOUR)
    run(storage, NOW + retention.GRACE + HOUR)
    assert storage.head(key)
    run(storage, NOW + retention.GRACE + 2 * HOUR)
    assert storage.head(key) is None

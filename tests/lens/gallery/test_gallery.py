"""The gallery and its loading: one whole commit, searched exactly and with fair ties."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lens.errors import MissingError
from lens.gallery import loading, retention
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Row
from lens.pipeline.compact import fold, merge
from lens.storage import FileStorage
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
    vector,
)


class CountingStorage(FileStorage):
    """Notes what is read."""

    reads: list[str]

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads = []

    def read(self, key: str):  # type: ignore[no-untyped-def]
        self.reads.append(key)
        return super().read(key)


@pytest.fixture
def storage(tmp_path: Path) -> CountingStorage:
    storage = CountingStorage(tmp_path)
    make_live(storage)
    return storage


def found(gallery: Gallery, query: str, top_k: int = 100, category: str | None = None) -> list[str]:
    return [match.row.key for match in gallery.search(vector(query), top_k, category)]


@pytest.mark.slow
def test_any_mix_of_snapshot_and_tail_finds_what_a_naive_scan_finds(tmp_path: Path) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        storage = FileStorage(tmp_path / str(seed))
        make_live(storage)
        last: dict[str, Row] = {}
        warm: Gallery | None = None
        for step in range(1, 25):
            key = f"{chance.randrange(8)}"
            category = chance.choice(["", "coats", "coats/long", "coatsx"])
            row = photo(key, f"{step:02X}", photo_id=f"{chance.randrange(5)}", category=category)
            row = row if chance.random() < 0.8 else gone(key, f"{step:02X}")
            last[key] = row
            add(storage, row)
            if chance.random() < 0.3:
                chance.choice([fold, merge])(storage, head(storage), now=NOW)
            if chance.random() < 0.5:
                warm = load_gallery(storage, head(storage), warm)
        warm = load_gallery(storage, head(storage), warm)
        cold = gallery(storage)
        alive = {key: row for key, row in last.items() if row.photo_id}
        assert shown(cold) == shown(warm) == {key: row.photo_id for key, row in alive.items()}
        for top_k, asked in [(1, None), (2, None), (3, "coats"), (9, None), (9, "coats/long")]:
            inside = {
                key: float(vector(row.photo_id) @ vector("1"))
                for key, row in alive.items()
                if asked is None or f"{row.category}/".startswith(f"{asked}/")
            }
            expected = sorted(inside, key=lambda key: (-round(inside[key], 5), key))[:top_k]
            assert found(cold, "1", top_k, asked) == expected
            assert cold.search(vector("1"), top_k, asked) == warm.search(vector("1"), top_k, asked)


def test_the_same_photo_under_many_keys_is_found_in_key_order(storage: CountingStorage) -> None:
    keys = [f"{number:02}" for number in range(40)]
    order = random.Random(0).sample(keys, 40)
    add(storage, *(photo(key, "1", photo_id="same") for key in order[:25]), photo("x", "1"))
    fold(storage, head(storage), now=NOW)
    for key in order[25:]:
        add(storage, photo(key, "1", photo_id="same"))
    for top_k in (1, 3, 7, 39, 40):
        assert found(gallery(storage), "same", top_k) == keys[:top_k]


def test_a_warm_searcher_keeps_what_it_has_when_its_segments_are_folded(
    storage: CountingStorage,
) -> None:
    for key in "abc":
        add(storage, photo(key, "1"))
    warm = gallery(storage)
    merge(storage, head(storage), now=NOW)
    warm = load_gallery(storage, head(storage), warm)
    fold(storage, head(storage), now=NOW)
    storage.reads.clear()
    warm = load_gallery(storage, head(storage), warm)
    assert not [key for key in storage.reads if key.endswith(("gallery.index", ".npz"))]
    assert shown(warm) == shown(gallery(storage)) == {"a": "a 1", "b": "b 1", "c": "c 1"}


def test_a_warm_searcher_loads_a_snapshot_with_a_segment_it_never_saw(
    storage: CountingStorage,
) -> None:
    add(storage, photo("a", "1"))
    warm = gallery(storage)
    add(storage, photo("b", "1"))
    fold(storage, head(storage), now=NOW)
    warm = load_gallery(storage, head(storage), warm)
    assert shown(warm) == {"a": "a 1", "b": "b 1"}
    assert not warm.carried


def test_a_warm_searcher_loads_a_snapshot_when_it_keeps_too_many_rows(
    storage: CountingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "SCAN_LIMIT", 1)
    add(storage, photo("a", "1"), photo("b", "1"))
    warm = gallery(storage)
    fold(storage, head(storage), now=NOW)
    assert not load_gallery(storage, head(storage), warm).carried


def test_a_warm_searcher_agrees_with_a_new_one_when_tombstones_have_expired(
    storage: CountingStorage,
) -> None:
    late = NOW + retention.TOMBSTONE + DAY
    add(storage, gone("a", "3"), photo("b", "1"))
    warm = gallery(storage)
    fold(storage, head(storage), now=late)
    warm = load_gallery(storage, head(storage), warm)
    add(storage, photo("a", "2", at=late), now=late)
    warm = load_gallery(storage, head(storage), warm)
    assert shown(warm) == shown(gallery(storage)) == {"a": "a 2", "b": "b 1"}


def test_a_gallery_of_one_model_takes_nothing_over_from_another(storage: CountingStorage) -> None:
    add(storage, photo("a", "1"))
    warm = gallery(storage)
    make_live(storage, "tiny-b", MODEL)
    add(storage, photo("b", "1"), model_id="tiny-b")
    assert shown(load_gallery(storage, head(storage, "tiny-b"), warm)) == {"b": "b 1"}
    # Not even under the name of one that is loaded: it would have to be read, and is not there.
    named = head(storage, "tiny-b").model_copy(update={"segments": head(storage).segments})
    with pytest.raises(MissingError):
        load_gallery(storage, named, warm)


def test_a_pin_hides_what_any_guard_saw_deleted_later_and_what_is_gone_now(
    storage: CountingStorage,
) -> None:
    add(storage, *(photo(key, "5", at=NOW) for key in "abcd"))
    pinned = gallery(storage)
    make_live(storage, "tiny-b", MODEL)
    # The other model counts its reconciliations from below every event.
    add(storage, gone("a", "", at=NOW + 1), photo("b", "1", at=NOW + 1), model_id="tiny-b")
    add(storage, gone("c", "9", at=NOW + 1), model_id="tiny-b")
    add(storage, photo("c", "A", at=NOW + 2), gone("d", "9", at=NOW - 1), model_id="tiny-b")
    add(storage, photo("d", "A", at=NOW - 0.5), model_id="tiny-b")
    held = pinned.hiding_deleted([gallery(storage, "tiny-b"), pinned])
    assert shown(held) == {"b": "b 5", "d": "d 5"}
    assert set(found(held, "a 5")) == {"b", "d"}
    assert held.item("a") == []
    assert held.photo("a 5") is None
    assert (held.photo_count, held.categories) == (2, {"": 2})


def test_the_answers_about_a_gallery_are_about_photos_that_can_be_found(
    storage: CountingStorage,
) -> None:
    add(storage, photo("a", "1", category="coats"), photo("b", "1", category="hats"))
    fold(storage, head(storage), now=NOW)
    add(storage, gone("a", "2"), photo("c", "1", category="hats"))
    seen = gallery(storage)
    assert (seen.photo_count, seen.categories) == (2, {"hats": 2})
    assert seen.has_photo_at("a") is None
    row = seen.has_photo_at("c")
    assert row is not None
    assert seen.item("c") == [row] == [seen.photo("c 1")]
    assert [row.key for row in seen.item("b")] == ["b"]


def test_an_empty_gallery_finds_nothing(storage: CountingStorage) -> None:
    assert found(gallery(storage), "a") == []
    assert shown(gallery(storage)) == {}
    assert len(gallery(storage).known) == 0
    add(storage, gone("a", "1"))
    fold(storage, head(storage), now=NOW)
    assert found(gallery(storage), "a") == []

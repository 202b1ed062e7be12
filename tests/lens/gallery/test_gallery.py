"""The gallery and its loading: one whole commit, searched exactly and with fair ties.

Covers: gallery, loading, nearest.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from lens.errors import MissingError
from lens.gallery import loading, retention
from lens.gallery.assortment import Entry, Products
from lens.gallery.commits import ProductsRef, advance_head
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import ProductsManifest, write_look, write_table
from lens.gallery.rows import Cause, Row
from lens.pipeline.compact import fold, merge
from lens.storage import FileStorage
from lens.storage.formats import announce_format
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


def test_photos_that_tie_behind_the_best_come_in_key_order_whatever_their_categories(
    storage: CountingStorage,
) -> None:
    tied = [(f"{n:02}", "b" if n < 4 else "a") for n in range(12)]
    rows = [photo(key, "1", photo_id="same", category=name) for key, name in tied]
    add(storage, photo("x", "1"), *rows)
    fold(storage, head(storage), now=NOW)
    assert found(gallery(storage), "x 1", 2) == ["x", "00"]


@pytest.mark.parametrize("folded", [False, True])
def test_a_category_is_searched_with_what_lies_under_it(
    storage: CountingStorage, folded: bool
) -> None:
    names = {"a": "coats", "b": "coats/long", "c": "coatsx", "d": ""}
    add(storage, *(photo(key, "1", category=name) for key, name in names.items()))
    if folded:
        fold(storage, head(storage), now=NOW)
    for category, keys in (("coats", "ab"), ("coats/long", "b"), ("coat", ""), ("coatsx", "c")):
        assert sorted(found(gallery(storage), "1", category=category)) == list(keys)


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


def test_a_warm_searcher_keeps_its_snapshot_just_while_the_commit_has_the_same(
    storage: CountingStorage,
) -> None:
    add(storage, photo("a", "1"))
    fold(storage, head(storage), now=NOW)
    first = gallery(storage)
    add(storage, photo("b", "1"))
    same = load_gallery(storage, head(storage), first)
    assert same.snapshot is first.snapshot
    fold(storage, head(storage), now=NOW, forget=True)
    other = load_gallery(storage, head(storage), first)
    assert shown(same) == shown(other) == {"a": "a 1", "b": "b 1"}
    assert other.snapshot is not first.snapshot


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


@pytest.fixture
def halves(storage: CountingStorage) -> Gallery:
    """Photos of which some are folded and some are not, and in each half one that is gone."""
    add(storage, *(photo(key, "1") for key in "abc"))
    fold(storage, head(storage), now=NOW)
    add(storage, gone("b", "2"), *(photo(key, "1") for key in "def"))
    add(storage, gone("e", "2"))
    return gallery(storage)


def test_a_search_of_chosen_photos_finds_those_of_them_that_can_be_found(halves: Gallery) -> None:
    indexed = np.array([True, True, False])
    recent = np.array([True, True, False])
    selection = halves.select(indexed, recent)
    matches = halves.search(vector("f 1"), 9, selection=selection)
    assert {match.row.key for match in matches} == {"a", "d"}
    assert {row.key for row in halves.chosen(indexed, recent)} == {"a", "d"}
    nothing = halves.select(~indexed[:3] & False, recent & False)
    assert halves.search(vector("f 1"), 9, selection=nothing) == []


def test_the_photos_under_some_keys_come_with_their_vectors(halves: Gallery) -> None:
    asked = np.array([b"a", b"b", b"e", b"f", b"nobody's"])
    part = halves.segment_of(asked)
    assert part.rows.key.tolist() == [b"a", b"f"]
    np.testing.assert_array_equal(part.vectors, [vector("a 1"), vector("f 1")])


def test_what_was_removed_lately_is_counted_by_its_cause(storage: CountingStorage) -> None:
    def removed(key: str, sequencer: str, cause: Cause, at: float = NOW) -> Row:
        return gone(key, sequencer, at=at)._replace(reason=cause)

    add(storage, removed("early", "1", Cause.EVENT, NOW - 9), removed("back", "1", Cause.EVENT))
    fold(storage, head(storage), now=NOW)
    add(storage, photo("back", "2"), removed("a", "1", Cause.EVENT), photo("b", "1"))
    add(storage, removed("listed", "1", Cause.LISTING))
    seen = gallery(storage)
    assert seen.removed_since(NOW, (Cause.EVENT,)) == 1
    assert seen.removed_since(NOW - 9, (Cause.EVENT,)) == 2
    assert seen.removed_since(NOW, (Cause.EVENT, Cause.LISTING)) == 2
    assert seen.removed_since(NOW + 1, (Cause.EVENT,)) == 0


def test_products_that_are_still_the_shops_are_not_read_again(storage: CountingStorage) -> None:
    announce_format(storage, 0.0)
    table = write_table(storage, MODEL, "1" * 32, Products.of([Entry("p", "p", (), b"text")]))
    look = ProductsManifest(
        id=table.id, model_id=MODEL, previous=None, file="f.csv", etag="1", products=1, whole=table
    )
    write_look(storage, look)
    named = ProductsRef(id=look.id, products=1)
    add(storage, photo("a", "1"))
    advance_head(storage, MODEL, lambda c: c.model_copy(update={"products": named}), now=NOW)
    before = gallery(storage)
    assert before.shelf is not None and dict(before.shelf.assortment) == {"p": b"text"}
    add(storage, photo("b", "1"))
    storage.reads.clear()
    assert load_gallery(storage, head(storage), before).shelf is before.shelf
    assert [key for key in storage.reads if key.startswith("products/")] == []

"""Galleries large enough for lists against a naive oracle, whatever is asked, deleted or pinned."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lens.gallery import snapshots
from lens.gallery.gallery import Gallery
from lens.gallery.index import building, similarities_of
from lens.gallery.index import index as nearest
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Row
from lens.pipeline.compact import fold
from lens.storage import FileStorage
from tests.support.small_galleries import NOW, add, gallery, gone, head, make_live, photo, vector

pytestmark = pytest.mark.slow

CATEGORIES = ("", "A", "A-B", "A/B", "A/B/C", "A/B C", "A\x01", "AB", "Ü/ß", "Ü", "%2F", "a" * 40)
ASKED = (*CATEGORIES, None, "A/B/", "B", "Ü/", "none/such" * 9)


@pytest.fixture(params=["scan", "lists"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small galleries are scanned, or searched through lists that miss nothing."""
    if request.param == "lists":
        monkeypatch.setattr(building, "SCAN_LIMIT", 64)
        monkeypatch.setattr(snapshots, "ROUNDED_FROM", 64)
        monkeypatch.setattr(nearest, "SCANNED_SPAN", 20)
        monkeypatch.setattr(building, "SCANNED_SPAN", 20)
        monkeypatch.setattr(building, "EFFORTS", ((1_000, 1_000),))
    return str(request.param)


@dataclass
class Shop:
    """A gallery, and what it should show."""

    storage: FileStorage
    chance: random.Random
    alive: dict[str, Row] = field(default_factory=dict)
    clock: int = 0x10

    def change(self, count: int, deleted: float) -> None:
        """Add, replace or delete so many keys in one commit."""
        rows = []
        for number in self.chance.sample(range(400), count):
            key = f"{number:03}"
            self.clock += 1
            # Few photos for many keys, so that similarities tie.
            row = photo(
                key,
                f"{self.clock:06X}",
                photo_id=f"{self.chance.randrange(90)}",
                category=self.chance.choice(CATEGORIES),
            )
            row = row._replace(item_id=f"item {number % 50}")
            self.alive[key] = row
            if self.chance.random() < deleted:
                row = gone(key, f"{self.clock:06X}")
                del self.alive[key]
            rows.append(row)
        add(self.storage, *rows)

    def check(self, seen: Gallery, hidden: frozenset[str] = frozenset()) -> None:
        """Everything that can be asked, asked."""
        alive = {key: row for key, row in self.alive.items() if key not in hidden}
        assert {row.key: row for row in seen.photos()} == alive
        assert seen.photo_count == len(alive)
        by_category: dict[str, list[Row]] = {}
        for _, row in sorted(alive.items()):
            by_category.setdefault(row.category, []).append(row)
        assert seen.categories == {name: len(rows) for name, rows in by_category.items()}
        assert seen.examples == {name: rows[0] for name, rows in by_category.items()}
        assert list(seen.examples) == list(seen.categories) == sorted(by_category)
        for number in range(0, 400, 7):
            assert seen.has_photo_at(f"{number:03}") == alive.get(f"{number:03}")
        assert seen.has_photo_at("x" * 99) is None
        for number in range(0, 51, 5):
            shows = [row for _, row in sorted(alive.items()) if row.item_id == f"item {number}"]
            assert seen.item(f"item {number}") == shows
        for number in range(0, 91, 6):
            found = seen.photo(f"{number}")
            these = [row for row in alive.values() if row.photo_id == f"{number}"]
            assert found in these or (found is None and not these)
        assert seen.photo("y" * 99) is None
        for asked in ASKED:
            query = vector(f"{self.chance.randrange(120)}")
            inside = {
                key: float(similarities_of(vector(row.photo_id)[None], query)[0])
                for key, row in alive.items()
                if asked is None or row.category == asked or row.category.startswith(f"{asked}/")
            }
            top_k = self.chance.choice([1, 2, 12, 60])
            expected = sorted(inside, key=lambda key: (-inside[key], key))[:top_k]
            found_keys = [match.row.key for match in seen.search(query, top_k, asked)]
            assert found_keys == expected


def test_whatever_is_asked_is_answered_as_by_a_naive_scan(tmp_path: Path, kind: str) -> None:
    for seed in range(6):
        shop = Shop(FileStorage(tmp_path / f"{kind} {seed}"), random.Random(seed))
        make_live(shop.storage)
        warm = None
        for step in range(8):
            shop.change(shop.chance.choice([5, 60, 300]), shop.chance.choice([0.1, 0.5, 0.9]))
            if step == 2 or shop.chance.random() < 0.3:
                fold(shop.storage, head(shop.storage), now=NOW)
            if shop.chance.random() < 0.6:
                warm = load_gallery(shop.storage, head(shop.storage), warm)
                shop.check(warm)
        shop.check(gallery(shop.storage))
        shop.check(load_gallery(shop.storage, head(shop.storage), warm))


def test_a_pin_shows_its_commit_without_what_was_deleted_since(tmp_path: Path, kind: str) -> None:
    for seed in range(6):
        shop = Shop(FileStorage(tmp_path / f"{kind} {seed}"), random.Random(seed))
        make_live(shop.storage)
        shop.change(300, 0.0)
        fold(shop.storage, head(shop.storage), now=NOW)
        shop.change(40, 0.1)
        pinned, then = gallery(shop.storage), dict(shop.alive)
        for _ in range(3):
            shop.change(60, 0.7)
            if shop.chance.random() < 0.5:
                fold(shop.storage, head(shop.storage), now=NOW)
        held = pinned.hiding_deleted([gallery(shop.storage), pinned])
        later = Shop(shop.storage, shop.chance, then)
        # At this clock every look is at the same time: whoever was deleted at all is hidden.
        tombstones = {
            row.key
            for row in map(
                gallery(shop.storage).known.__getitem__, range(len(gallery(shop.storage).known))
            )
            if not row.photo_id
        }
        shown = {row.key for row in held.photos()}
        assert not shown & tombstones
        later.check(held, frozenset(then.keys() - shown))


def test_a_snapshot_tells_which_index_it_has_and_with_what_recall(
    tmp_path: Path, kind: str
) -> None:
    shop = Shop(FileStorage(tmp_path), random.Random(0))
    make_live(shop.storage)
    shop.change(300, 0.0)
    fold(shop.storage, head(shop.storage), now=NOW)
    snapshot = gallery(shop.storage).snapshot
    assert snapshot is not None
    manifest = snapshot.manifest
    if kind == "scan":
        assert (manifest.index_type, manifest.effort) == ("flat", None)
        assert set(manifest.sha256) == {"vectors.npy", "rows.npz"}
    else:
        assert manifest.index_type.endswith(",PQ4x4fs")
        assert manifest.effort is not None
        assert (manifest.effort.probes, manifest.effort.candidates) == (1_000, 1_000)
        assert manifest.effort.recall >= building.RECALL
        files = {"gallery.index", "vectors.npy", "vectors8.npy", "rows.npz"}
        assert set(manifest.sha256) == files

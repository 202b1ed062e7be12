"""Layouts: a catalog that is grouped otherwise is regrouped with the same vectors, in any race."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.errors import UsageError
from lens.gallery.commits import read_head
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Row
from lens.gallery.versions import Look
from lens.models.embedder import Embedder
from lens.photos.layouts.layout import Layout, Rule
from lens.photos.layouts.stored import KEY, read_layout
from lens.pipeline.compact import fold
from lens.pipeline.layouts import decide_layout
from lens.pipeline.promote import promote
from lens.pipeline.reconcile import compare_newest
from lens.search.wanted import Wanted
from lens.storage import FileStorage
from tests.histories.world import PHOTOS, World

FLAT = ("A1_1.png", "A1_2.png", "B2_1.png", "B2_2.png")


class Shop(World):
    """A world with four photos of two products, which an earlier release took for four."""

    def __init__(self, folder: Path) -> None:
        super().__init__(FileStorage(folder / "catalog"), FileStorage(folder / "artifacts"))
        for number, key in enumerate(FLAT):
            self._put(key, PHOTOS[number])
        self.make_live(0)

    def make_live(self, number: int) -> None:
        promote(self.artifacts, self.catalog, self.models[number], self.look_at, clock=self.now)

    def look_at(self, looks: list[Look]) -> None:
        self.embedding.run(looks)
        self.commit_all()

    def add(self, key: str, number: int) -> None:
        self._put(key, PHOTOS[number])
        self.embed_all()
        self.commit_all()

    def take(self, key: str) -> None:
        self._remove(key)
        self.embed_all()
        self.commit_all()

    def gallery(self, number: int = 0) -> Gallery:
        return load_gallery(self.artifacts, read_head(self.artifacts, self.models[number]))

    def items(self, number: int = 0) -> dict[str, str]:
        return {row.key: row.item_id for row in self.gallery(number).photos()}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def forbid_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a photo was embedded")

    monkeypatch.setattr(Embedder, "embed_main", refuse)


def test_a_gallery_is_regrouped_and_nothing_is_embedded(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.items() == {key: key for key in FLAT}
    fold(shop.artifacts, read_head(shop.artifacts, shop.models[0]), now=shop.now())
    shop.add("B2_3.png", 4)  # not in the snapshot
    before = {row.key: (row, vector) for row, vector in vectors(shop.gallery())}
    forbid_embedding(monkeypatch)
    assert shop.reconcile() == 5
    shop.embed_all()
    shop.commit_all()
    assert read_layout(shop.artifacts) == Layout(root=Rule("code"))
    assert shop.items() == {key: key[:2] for key in (*FLAT, "B2_3.png")}
    for row, vector in vectors(shop.gallery()):
        old, old_vector = before[row.key]
        assert np.array_equal(vector, old_vector)
        assert (row.photo_id, row.etag) == (old.photo_id, old.etag)
        assert row.version == old.version.bumped()
    results = shop.warm.search(PHOTOS[1], Wanted(top_k=1))
    assert [(hit.key, hit.item_id) for hit in results.hits] == [("A1_2.png", "A1")]
    assert shop.reconcile() == 0


def test_a_new_photo_is_placed_by_the_layout_in_force(shop: Shop) -> None:
    shop.settle()
    shop.add("A1_3.png", 5)
    assert shop.items()["A1_3.png"] == "A1"
    assert shop.reconcile() == 0


def test_an_embedding_under_the_old_layout_heals_at_the_next_reconciliation(shop: Shop) -> None:
    shop.settle()
    layout = shop.artifacts.read(KEY)[0]
    shop.artifacts.delete(KEY)
    shop.add("A1_3.png", 5)  # a worker that had read the layout before it was changed
    shop.artifacts.write(KEY, layout)
    assert shop.items()["A1_3.png"] == "A1_3.png"
    shop.settle()
    assert shop.items()["A1_3.png"] == "A1"


def test_a_change_or_deletion_beats_a_regrouping_that_had_not_seen_it(shop: Shop) -> None:
    decide_layout(shop.catalog, shop.artifacts, "")
    found = compare_newest(shop.catalog, shop.artifacts, shop.models[0], shop.now)
    shop.take("A1_1.png")
    shop._put("A1_2.png", PHOTOS[5])
    shop.embed_all()
    found.regroup(shop.artifacts)
    shop.commit_all()
    assert shop.items() == {"A1_2.png": "A1", "B2_1.png": "B2", "B2_2.png": "B2"}
    shop.settle()


def test_a_lost_change_that_reconciliation_looks_at_beats_a_late_regrouping(shop: Shop) -> None:
    decide_layout(shop.catalog, shop.artifacts, "")
    found = compare_newest(shop.catalog, shop.artifacts, shop.models[0], shop.now)
    shop.catalog.storage.write("A1_1.png", PHOTOS[5])  # its event is lost
    looks = compare_newest(shop.catalog, shop.artifacts, shop.models[0], shop.now).looks
    shop.look_at(looks)
    found.regroup(shop.artifacts)
    shop.commit_all()
    shop.settle()


def test_a_layout_that_is_given_groups_at_once_and_folders_goes_back(shop: Shop) -> None:
    for given, item in (("{item}_*", "A1"), ("folders", "A1_1.png"), ("", "A1")):
        shop.layout = given
        shop.settle()
        assert shop.items()["A1_1.png"] == item


def test_a_wrong_layout_is_refused_and_changes_nothing(shop: Shop) -> None:
    with pytest.raises(UsageError, match=r"did you mean \{item\}"):
        decide_layout(shop.catalog, shop.artifacts, "{itm}_*")
    assert read_layout(shop.artifacts) == Layout()


def test_a_model_that_was_live_before_is_regrouped_when_it_is_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.make_live(1)
    shop.settle()
    forbid_embedding(monkeypatch)
    assert shop.items(0) == {key: key for key in FLAT}
    shop.make_live(0)
    assert shop.items(0) == {key: key[:2] for key in FLAT}


def vectors(gallery: Gallery) -> list[tuple[Row, NDArray[np.float32]]]:
    """Every photo's row and vector."""
    items = {row.item_id for row in gallery.photos()}
    return [found for item in items for found in gallery.item_vectors(item)]

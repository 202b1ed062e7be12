"""Similar items: the nearest other items by any pair of photos, in snapshot and tail alike.

Covers: similar, scope.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lens.errors import NotFoundError
from lens.feed.product import Product
from lens.gallery.commits import empty_commit
from lens.gallery.gallery import Gallery, Match
from lens.gallery.rows import Row, Rows
from lens.gallery.segments import Segment
from lens.pipeline.compact import fold
from lens.search.order import SoldOut
from lens.search.scope import Scope
from lens.storage import FileStorage
from tests.support import small_galleries
from tests.support.small_galleries import NOW
from tests.support.sold import gallery_with, photo_row

ITEMS, EACH = 12, 3


def row(item: int, number: int) -> Row:
    key = f"{item % 2}/{item:02}/{number}.png"
    photo = small_galleries.photo(key, "1", category=str(item % 2))
    return photo._replace(item_id=f"item {item:02}")


ROWS = [row(item, number) for item in range(ITEMS) for number in range(EACH)]


@pytest.fixture(params=["tail", "snapshot", "both"])
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Gallery:
    """The same rows, behind an index or not."""
    storage = FileStorage(tmp_path)
    small_galleries.make_live(storage)
    first = len(ROWS) // 2 if request.param == "both" else len(ROWS)
    small_galleries.add(storage, *ROWS[:first])
    if request.param != "tail":
        fold(storage, small_galleries.head(storage), now=NOW)
    if first < len(ROWS):
        small_galleries.add(storage, *ROWS[first:])
    found = small_galleries.gallery(storage)
    assert (found.snapshot is None) is (request.param == "tail")
    return found


def expected(item_id: str, category: str | None = None) -> list[tuple[str, float]]:
    """By every pair of photos."""
    own = [small_galleries.vector(each.photo_id) for each in ROWS if each.item_id == item_id]
    best: dict[str, float] = {}
    for other in ROWS:
        if other.item_id != item_id and category in (None, other.category):
            found = float(max(np.array(own) @ small_galleries.vector(other.photo_id)))
            best[other.item_id] = max(found, best.get(other.item_id, -2.0))
    return sorted(best.items(), key=lambda pair: -pair[1])


def _similar(
    gallery: Gallery, item_id: str, top_k: int, category: str | None = None
) -> list[Match]:
    return Scope(gallery, category, None, None, "last").similar(item_id, top_k)


@pytest.mark.parametrize("top_k", [1, 5, 100])
@pytest.mark.parametrize("category", [None, "1"])
def test_other_items_by_their_most_similar_photo(
    gallery: Gallery, top_k: int, category: str | None
) -> None:
    found = _similar(gallery, "item 03", top_k, category)
    wanted = expected("item 03", category)[:top_k]
    assert [match.row.item_id for match in found] == [item for item, _ in wanted]
    assert [match.similarity for match in found] == pytest.approx([s for _, s in wanted], abs=1e-6)


def test_an_item_that_fills_many_ranks_hides_no_other(tmp_path: Path) -> None:
    """A hundred photos of one item are all nearer than the next item's."""
    storage = FileStorage(tmp_path)
    small_galleries.make_live(storage)
    crowd = [row(1, number)._replace(photo_id="the same") for number in range(100)]
    asked = row(2, 0)._replace(photo_id="the same")
    small_galleries.add(storage, *crowd, asked, row(3, 0), row(4, 0))
    found = _similar(small_galleries.gallery(storage), "item 02", 3)
    assert found[0].row.item_id == "item 01"
    assert {match.row.item_id for match in found[1:]} == {"item 03", "item 04"}


def test_an_item_that_is_not_there_is_not_found(gallery: Gallery) -> None:
    with pytest.raises(NotFoundError, match="the item 'no such'"):
        _similar(gallery, "no such", 5)


def test_an_item_alone_in_its_gallery_has_nothing_similar(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    small_galleries.make_live(storage)
    small_galleries.add(storage, row(1, 0), row(1, 1))
    assert _similar(small_galleries.gallery(storage), "item 01", 5) == []


def test_products_are_told_by_the_product_file_and_a_product_is_not_similar_to_itself() -> None:
    """Its colors lie in folders of their own; one of another product's is sold out."""
    names = ("tee-red", "tee-blue", "cap-red", "cap-blue", "sock-red")
    rows = [
        photo_row(f"{name}/1.jpg", name)._replace(category=name.partition("-")[2]) for name in names
    ]
    vectors = np.array([[1, 0], [0.99, 0.1], [0.9, 0.3], [0.8, 0.5], [0.5, 0.8]], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    products = [
        Product(
            name,
            item_group_id=name.partition("-")[0],
            availability="out_of_stock" if name == "cap-red" else "in_stock",
        )
        for name in names
    ]
    segment = Segment(Rows.of(rows), vectors)
    shelf = gallery_with(products).shelf
    gallery = Gallery(empty_commit("m"), None, {}, {"s": segment}, shelf=shelf)

    def similar(sold_out: SoldOut) -> list[str]:
        scope = Scope(gallery, None, None, None, sold_out)
        found = scope.order("similarity").arranged(scope.similar("tee-red", 5))[0]
        return [match.row.item_id for match in found]

    assert similar("keep") == ["cap-red", "sock-red"]
    assert similar("last") == ["sock-red", "cap-red"]
    assert similar("hide") == ["sock-red"]
    within = Scope(gallery, "blue", None, None, "last").similar("tee-red", 5)
    assert [match.row.item_id for match in within] == ["cap-blue"]
    bare = replace(gallery, shelf=None)
    found = Scope(bare, None, None, None, "last").similar("tee-red", 5)
    assert [match.row.item_id for match in found] == [*names[1:]]


def test_a_photo_s_vector_comes_with_its_row(gallery: Gallery) -> None:
    for found, vector in gallery.item_vectors("item 05"):
        np.testing.assert_array_equal(vector, small_galleries.vector(found.photo_id))
    assert [found.key for found, _ in gallery.item_vectors("item 05")] == [
        f"1/05/{number}.png" for number in range(EACH)
    ]

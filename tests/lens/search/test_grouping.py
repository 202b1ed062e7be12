"""Grouping: each item once, and what is sold out where the shop wants it.

Covers: grouping, scope.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lens.feed.product import Availability, Product
from lens.gallery.commits import empty_commit
from lens.gallery.gallery import Gallery, Match
from lens.gallery.rows import Rows
from lens.gallery.segments import Segment
from lens.search.order import SoldOut
from lens.search.scope import Scope
from tests.support.sold import gallery_with, photo_row

QUERY = np.array([1.0, 0.0], np.float32)


def _gallery(similarities: dict[str, Sequence[float]], sold_out: Sequence[str] = ()) -> Gallery:
    """Items with a photo of each similarity."""
    rows = [
        photo_row(f"{item}/{n}.jpg", item)
        for item, photos in similarities.items()
        for n, _ in enumerate(photos)
    ]
    x = np.array([each for photos in similarities.values() for each in photos], np.float32)
    vectors = np.stack([x, np.sqrt(1 - x**2)], axis=1).astype(np.float32)
    stock: dict[bool, Availability] = {True: "out_of_stock", False: "in_stock"}
    products = [Product(item, availability=stock[item in sold_out]) for item in similarities]
    shelf = gallery_with(products).shelf
    segment = Segment(Rows.of(rows), vectors)
    return Gallery(empty_commit("m"), None, {}, {"s": segment}, shelf=shelf)


def _items(gallery: Gallery, top_k: int, sold_out: SoldOut = "last") -> list[str]:
    scope = Scope(gallery, None, None, None, sold_out)
    arranged, _ = scope.order("similarity").arranged(scope.items(QUERY, top_k))
    return [match.row.item_id for match in arranged]


def _nearest(gallery: Gallery, top_k: int) -> list[Match]:
    return Scope(gallery, None, None, None, "keep").items(QUERY, top_k)


def test_an_item_of_many_photos_is_one_hit_by_its_best() -> None:
    gallery = _gallery({"a": [0.9] + [0.8] * 60, "b": [0.7], "c": [0.95, 0.1]})
    assert _items(gallery, 3) == ["c", "a", "b"]
    first = _nearest(gallery, 3)[1]
    assert first.row.key == "a/0.jpg"
    assert first.similarity == pytest.approx(0.9)


def test_there_are_no_more_items_than_are_asked_for_or_are_there() -> None:
    gallery = _gallery({name: [0.5] for name in "abc"})
    assert _items(gallery, 2) == ["a", "b"]
    assert _items(gallery, 50) == ["a", "b", "c"]


def test_what_is_sold_out_comes_last_is_hidden_or_stays() -> None:
    gallery = _gallery({"a": [0.9], "b": [0.8], "c": [0.7], "d": [0.6]}, sold_out="ac")
    assert _items(gallery, 3, "last") == ["b", "a", "c"]
    assert _items(gallery, 3, "hide") == ["b", "d"]
    assert _items(gallery, 3, "keep") == ["a", "b", "c"]


def test_without_a_product_file_nothing_is_sold_out() -> None:
    rows = [photo_row("a/1.jpg", "a")]
    segment = Segment(Rows.of(rows), np.ones((1, 2), np.float32))
    gallery = Gallery(empty_commit("m"), None, {}, {"s": segment})
    assert _items(gallery, 5, "hide") == ["a"]


def test_photos_of_one_product_in_several_files_are_one_item() -> None:
    rows = [photo_row(key) for key in ("SKU1_1.jpg", "SKU1_2.jpg", "SKU2_1.jpg", "other_1.jpg")]
    products = [Product("SKU1"), Product("SKU2")]
    vectors = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    segment = Segment(Rows.of(rows), vectors)
    shelf = gallery_with(products).shelf
    gallery = Gallery(empty_commit("m"), None, {}, {"s": segment}, shelf=shelf)
    found = _nearest(gallery, 10)
    assert [match.row.key for match in found] == ["SKU1_1.jpg", "SKU2_1.jpg", "other_1.jpg"]

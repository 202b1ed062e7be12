"""Protocols: which photos of a partition file ask, and which are searched."""

from __future__ import annotations

from lens.evaluation.protocols import Split, split_by_view, split_of
from lens.photos.catalog import PartitionEntry

PARTITION = {
    "img/a/01_1_front.jpg": PartitionEntry("a", "query"),
    "img/a/02_3_back.jpg": PartitionEntry("a", "gallery"),
    "img/b/01_1_front.jpg": PartitionEntry("b", "gallery"),
    "img/b/01_2_side.jpg": PartitionEntry("b", "query"),
    "img/c/01_1_front.jpg": PartitionEntry("c", "train"),
    "img/c/01_2_side.jpg": PartitionEntry("c", "train"),
}


def test_benchmark_is_the_partition_file_s_own_split() -> None:
    assert split_of(PARTITION, "benchmark") == Split(
        queries=("img/a/01_1_front.jpg", "img/b/01_2_side.jpg"),
        gallery=("img/a/02_3_back.jpg", "img/b/01_1_front.jpg"),
    )


def test_strict_searches_front_photos_of_test_items_with_all_their_others() -> None:
    assert split_of(PARTITION, "strict") == Split(
        queries=("img/a/02_3_back.jpg", "img/b/01_2_side.jpg"),
        gallery=("img/a/01_1_front.jpg", "img/b/01_1_front.jpg"),
    )


def test_a_view_is_told_by_the_file_s_name() -> None:
    assert split_by_view(["front/2.jpg", "x_1_front.png"]) == Split(
        queries=("front/2.jpg",), gallery=("x_1_front.png",)
    )

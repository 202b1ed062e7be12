"""The data: how photos are split into training, validation and test, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import UsageError
from tests.sagemaker_training.small_catalogs import draw_folders
from training.data.dataset import problems_report, read_dataset, without_broken


def test_held_out_items_are_never_trained_on(inshop: Path) -> None:
    dataset = read_dataset(inshop, held_out="items", share=0.25)
    train = {photo.item_id for photo in dataset.train}
    held_out = {photo.item_id for photo in dataset.validation}
    assert (len(train), len(held_out)) == (6, 2)
    assert not train & held_out
    assert not (train | held_out) & {photo.item_id for photo in dataset.test}


def test_the_folds_hold_every_item_out_once(inshop: Path) -> None:
    folds = [
        {p.item_id for p in read_dataset(inshop, held_out="items", share=0.25, fold=i).validation}
        for i in range(4)
    ]
    assert sum(len(fold) for fold in folds) == len(set.union(*folds)) == 8


def test_every_seed_is_validated_on_the_same_items(inshop: Path) -> None:
    first, second = (
        read_dataset(inshop, held_out="items", share=0.25, seed=seed) for seed in (0, 1)
    )
    assert first.validation == second.validation


def test_held_out_photos_are_searched_among_those_trained_on(inshop: Path) -> None:
    dataset = read_dataset(inshop, held_out="photos", share=0.15)
    assert (len(dataset.train), len(dataset.validation)) == (27, 5)
    split = dataset.validated["held-out"]
    assert set(split.queries) == {photo.key for photo in dataset.validation}
    assert set(split.gallery) == {photo.key for photo in dataset.train}


def test_held_out_items_are_searched_as_in_the_test_among_all_that_is_trained_on(
    inshop: Path,
) -> None:
    dataset = read_dataset(inshop, held_out="items", share=0.25)
    benchmark, strict = dataset.validated["benchmark"], dataset.validated["strict"]
    trained = {photo.key for photo in dataset.train}
    held_out = {photo.key for photo in dataset.validation}
    assert set(benchmark.queries) | set(benchmark.gallery) == trained | held_out
    assert not set(benchmark.queries) & set(benchmark.gallery)
    assert set(benchmark.queries) < held_out and trained < set(benchmark.gallery)
    item_of = {photo.key: photo.item_id for photo in dataset.photos}
    found = {item_of[key] for key in benchmark.gallery}
    assert all(item_of[key] in found for key in benchmark.queries)
    assert set(strict.queries) == {key for key in held_out if "_1_front" not in key}
    assert set(strict.gallery) == {key for key in trained | held_out if "_1_front" in key}


def test_a_folder_per_item_needs_no_partition_file(tmp_path: Path) -> None:
    dataset = read_dataset(draw_folders(tmp_path, items=5), held_out="items", share=0.2)
    assert (len(dataset.train), len(dataset.validation), dataset.test) == (12, 3, ())
    assert {photo.category for photo in dataset.train} == {"shoes"}
    assert set(dataset.validated) == {"benchmark"}


def test_missing_and_broken_photos_are_reported_together(inshop: Path) -> None:
    photos = sorted(inshop.rglob("*.png"))
    photos[0].unlink()
    dataset = read_dataset(inshop, held_out="items", share=0.25)
    broken = dataset.train[0].key
    without = without_broken(dataset, [broken])
    report = problems_report(without, {broken: "truncated"})
    missing = photos[0].relative_to(inshop).as_posix()
    assert report == f"1 photos are missing: {missing}; 1 photos are broken: {broken} (truncated)"
    assert broken not in {photo.key for photo in without.photos}
    assert without.describe()["missing"] == without.describe()["broken"] == 1


def test_a_broken_photo_leaves_every_protocol(inshop: Path) -> None:
    dataset = read_dataset(inshop, held_out="items", share=0.25)
    broken = dataset.tested["benchmark"].queries[0]
    tested = without_broken(dataset, [broken]).tested
    assert len(tested["benchmark"].queries) == len(dataset.tested["benchmark"].queries) - 1
    assert all(broken not in (*split.queries, *split.gallery) for split in tested.values())


def test_a_half_unpacked_archive_is_refused(inshop: Path) -> None:
    for photo in sorted(inshop.rglob("*.png"))[:10]:
        photo.unlink()
    with pytest.raises(UsageError, match=r"10 of the 48 photos .* are missing.*unpack img.zip"):
        read_dataset(inshop, held_out="items", share=0.2)


def test_photos_of_one_item_are_not_enough(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="photos of 1 items to train on"):
        read_dataset(draw_folders(tmp_path, items=1), held_out="items", share=0.2)


def test_a_fold_that_does_not_exist_is_refused(inshop: Path) -> None:
    with pytest.raises(UsageError, match="no fold 4: the items make 4 folds"):
        read_dataset(inshop, held_out="items", share=0.25, fold=4)

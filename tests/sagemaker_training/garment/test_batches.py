"""Batches: a step's own, whatever was drawn before, with all that the objectives need."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.errors import UsageError
from tests.sagemaker_training.garment.drawn import labeled, material
from tests.sagemaker_training.garment.small import SIZE, small_plan
from training.garment.batches import Batches, as_batch
from training.garment.labels import KINDS, PLACES

PHASE = small_plan().phases[1]


def test_a_step_s_batch_depends_on_its_seeds_alone() -> None:
    first, second = Batches(material(), PHASE, 0, 1), Batches(material(), PHASE, 0, 1)
    for step in (2, 0, 1):
        second.arrays(step)
    expected, found = first.arrays(2), second.arrays(2)
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    for other in (Batches(material(), PHASE, 0, 2).arrays(2), first.arrays(3)):
        assert not np.array_equal(expected["pixels"], other["pixels"])


def test_a_batch_has_the_catalog_s_crops_then_shoppers_then_scenes() -> None:
    phase = replace(PHASE, items=3, photos_each=2, shoppers=4, scenes=5)
    batch = as_batch(Batches(material(), phase, 0, 1).arrays(0))
    views, cells = 3 * 2 + 4 + 5, SIZE // 16
    assert batch.crops == 10 and (batch.items[:6] >= 0).all() and (batch.items[6:] == -1).all()
    assert Counter(batch.items[:6].tolist()) == {0: 2, 1: 2, 2: 2}
    assert len(set(batch.colors[:6].tolist())) == 6  # each item's two photos, none twice
    assert sorted(batch.photos[:6].tolist()) == [*range(6)]  # six photos are the catalog's
    assert set(batch.photos[6:].tolist()) <= {6, 7, 8, 9}
    assert batch.kinds.shape == (10, len(KINDS)) and batch.kinds.any(dim=1).all()
    assert batch.pixels.shape == (views, 3, SIZE, SIZE) and batch.pixels.dtype == torch.float32
    assert batch.pixels.min() >= -1 and batch.pixels.max() == 1  # white is (255 - 127) / 128
    assert batch.garment.shape == (views, 1, SIZE // 8, SIZE // 8)
    assert batch.heat.shape == batch.weight.shape == (views, len(PLACES), cells, cells)
    assert batch.boxes.shape == (views, cells, cells, 4)
    assert batch.hottest.shape == (views, cells, cells)
    assert batch.heat[:10].amax(dim=(1, 2, 3)).mean() > 0.8  # nearly each crop has its garment


def test_an_item_with_too_few_photos_has_one_twice() -> None:
    phase = replace(PHASE, items=1, photos_each=3)
    items = Batches(material(), phase, 0, 1).arrays(0)["items"]
    assert len(set(items[:3].tolist())) == 1


def test_what_is_not_known_is_marked_and_what_is_known_is_a_share() -> None:
    source = material()
    unknown = [replace(p, mask=None, cut_out=None, places=()) for p in source.shoppers]
    batch = as_batch(Batches(replace(source, shoppers=tuple(unknown)), PHASE, 0, 1).arrays(0))
    of_catalog = int((batch.items >= 0).sum())
    known, rest = batch.garment[:of_catalog], batch.garment[of_catalog : batch.crops]
    assert known.min() >= 0 and known.max() <= 1 and 0.05 < known.mean() < 0.95
    assert (rest == -1).float().mean() > 0.3


def test_rare_kinds_are_drawn_more_often_than_they_are_photographed() -> None:
    often = [labeled(kind="t-shirt") for _ in range(48)]
    rarely = [labeled(kind="hat", place="hat") for _ in range(3)]
    source = replace(material(), shoppers=(*often, *rarely))
    phase = replace(PHASE, shoppers=48, scenes=0, size=32)
    kinds = np.concatenate(
        [Batches(source, phase, 0, 1).arrays(step)["kinds"][2:] for step in range(5)]
    )
    share = kinds[:, KINDS.index("hat")].mean()
    # By the root of their numbers: 3 ** .5 / (3 ** .5 + 48 ** .5), and not 3 / 51.
    assert share == pytest.approx(0.2, abs=0.06)


def test_scenes_show_rare_places_of_the_catalog_as_often_as_common_ones() -> None:
    source = material()
    dress = labeled(place="one_piece", kind="dress", behind=255, item=0, color_number=0)
    alone = [replace(p, cut_out=None, mask=None, places=()) for p in source.shoppers]
    catalog = (*source.catalog[:2] * 20, dress)
    many = replace(PHASE, items=1, shoppers=1, scenes=60, size=32)
    batches = Batches(replace(source, catalog=catalog, shoppers=tuple(alone)), many, 0, 1)
    heat = batches.arrays(0)["heat"][2:]
    seen = (heat == 1).any(axis=(2, 3)).sum(axis=0)
    tops, dresses = (seen[PLACES.index(place)] for place in ("upper", "one_piece"))
    assert tops + dresses > 10 and dresses > 0.3 * tops


def test_a_catalog_without_cut_outs_still_makes_scenes() -> None:
    source = material()
    plain = [replace(p, cut_out=None, mask=None, places=()) for p in source.catalog]
    batches = Batches(replace(source, catalog=tuple(plain)), replace(PHASE, scenes=12), 0, 1)
    assert len(batches.arrays(0)["pixels"]) == 2 + 3 + 12


def test_more_items_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(UsageError, match=r"there are 3: --plan items=3, or less"):
        Batches(material(items=3), replace(PHASE, items=4), 0, 1)

"""Presets and recipes: the seed's values, and values that are refused."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from lens.errors import UsageError
from training.presets import PRESETS, SEED, recipe_of


def test_the_seed_preset_is_the_baseline_to_the_letter() -> None:
    known = {
        "backbone": "facebook/dinov2-base",
        "embedding_dim": 128,
        "tuning": "blocks",
        "identities": 24,
        "photos_each": 4,
        "loss": "triplet",
        "miner": "semi-hard",
        "optimizer": "adam",
        "lr": 1e-4,
        "head_lr": 1e-4,
        "weight_decay": 0.0,
        "precision": "fp16",
        "schedule": "plateau",
        "epochs": 50,
        "patience": 7,
        "held_out": "photos",
        "validation": 0.15,
        "watched": "loss",
        "color_dim": 0,
        "memory": 0,
        "blank_from": 256,
    }
    assert {name: value for name, value in asdict(SEED).items() if name in known} == known
    assert SEED.batch == 96


def test_only_the_seed_is_validated_on_photos_of_items_it_was_trained_on() -> None:
    assert {name for name, recipe in PRESETS.items() if recipe.held_out == "photos"} == {"seed"}


def test_only_the_seed_watches_the_validation_loss() -> None:
    assert {name for name, recipe in PRESETS.items() if recipe.watched == "loss"} == {"seed"}


def test_a_loss_with_proxies_is_watched_on_held_out_photos_or_not_at_all() -> None:
    assert recipe_of("laptop", {"watched": "loss", "held_out": "photos"}).watched == "loss"
    assert recipe_of("laptop", {"watched": "loss", "validation": 0.0}).watched == "loss"
    assert recipe_of("inshop", {"watched": "loss"}).held_out == "items"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "contrast"}, "loss is 'contrast'; it can be: triplet, proxy-anchor"),
        ({"lr": -1.0}, "lr is -1.0; it cannot be negative"),
        ({"epochs": 0}, "epochs cannot be 0"),
        ({"crop": 1.5}, "crop is at most 1"),
        ({"blank_from": 257}, "blank_from is 257; it is a gray level up to 255, or 256"),
        ({"blank_from": 0}, "blank_from cannot be 0"),
        ({"schedule": "plateau", "validation": 0.0}, "hold some photos out"),
        ({"watched": "map"}, "watched is 'map'; it can be: recall_at_1, loss"),
        ({"watched": "loss"}, "proxy-anchor has no proxies for items that are held out"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_in_one_line(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        recipe_of("laptop", changes)


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="there are: seed, inshop, laptop"):
        recipe_of("big", {})


def test_color_must_leave_some_dimensions_to_learn() -> None:
    with pytest.raises(UsageError, match="must be left to the backbone"):
        recipe_of("laptop", {"embedding_dim": 32})

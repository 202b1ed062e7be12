"""The validation: its batches, and its loss against a plain loop over the held-out photos."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from lens.errors import UsageError
from lens.evaluation.protocols import Split
from tests.sagemaker_training.small_models import (
    ALONE,
    SIZE,
    small_dataset,
    small_model,
    small_photos,
    small_recipe,
)
from training.data.dataset import Dataset
from training.loop.losses import Objective
from training.loop.scoring import embed
from training.loop.validation import Validation, make_validation, plan_validation
from training.network.embedding_model import EmbeddingModel
from training.presets import Recipe

DECODED = small_photos(items=6, side=SIZE).decoded


def _objectives(recipe: Recipe) -> torch.nn.ModuleDict:
    torch.manual_seed(0)
    dims = {"shape": recipe.shape_dim, "color": recipe.color_dim}
    return torch.nn.ModuleDict(
        {name: Objective(recipe, 6, dim) for name, dim in dims.items() if dim}
    )


def _validated(
    recipe: Recipe,
    model: EmbeddingModel,
    objectives: torch.nn.ModuleDict,
    dataset: Dataset | None = None,
) -> Validation:
    validate = make_validation(recipe, model, DECODED, dataset or small_dataset(), ALONE)
    assert validate is not None
    return validate(objectives)


def _semi_hard(embeddings: NDArray[np.float32], labels: NDArray[np.int64], margin: float) -> float:
    """The mean over the semi-hard triplets; 0 if there are none."""
    places = range(len(labels))
    terms = []
    for a, p, n in itertools.product(places, places, places):
        if a != p and labels[a] == labels[p] != labels[n]:
            near = float(np.linalg.norm(embeddings[a] - embeddings[p]))
            far = float(np.linalg.norm(embeddings[a] - embeddings[n]))
            if near < far < near + margin:
                terms.append(near - far + margin)
    return sum(terms) / len(terms) if terms else 0.0


def test_each_held_out_item_is_in_one_batch_with_each_of_its_photos_once() -> None:
    recipe = small_recipe("none")
    labels = np.repeat(np.arange(11), [1, 2, 3, 1, 2, 1, 1, 2, 5, 1, 2])
    batches = plan_validation(labels, recipe)
    assert [len(np.unique(labels[batch])) for batch in batches] == [4, 4, 3]
    every = np.concatenate(batches)
    assert len(np.unique(every)) == len(every)
    counts = np.bincount(labels[every])
    assert counts.tolist() == np.minimum(np.bincount(labels), recipe.photos_each).tolist()
    again = plan_validation(labels, recipe)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))


@pytest.mark.parametrize("margin", [0.9, 0.2, 1e-6])
@pytest.mark.parametrize("color_dim", [0, 3])
def test_the_loss_is_the_mean_over_batches_of_what_a_loop_finds(
    backbone: str, margin: float, color_dim: int
) -> None:
    recipe = small_recipe(
        backbone, miner="semi-hard", margin=margin, color_dim=color_dim, watched="loss"
    )
    model, dataset = small_model(recipe), small_dataset()
    keys = [photo.key for photo in dataset.validation]
    labels = np.array([int(key) // 4 for key in keys])
    expected = 0.0
    parts = [part for part in (model.shape, model.color) if part is not None]
    for part, batch in itertools.product(parts, plan_validation(labels, recipe)):
        chosen = [keys[i] for i in batch]
        vectors = embed(model, DECODED, chosen, ALONE, part=part)
        expected += _semi_hard(vectors, labels[batch], margin) / 2
    found = _validated(recipe, model, _objectives(recipe)).loss
    assert found == pytest.approx(expected, abs=1e-5) and (expected > 0) == (margin > 1e-6)


def test_measuring_leaves_the_memory_alone(backbone: str) -> None:
    recipe = small_recipe(backbone, miner="semi-hard", margin=0.9, memory=16, watched="loss")
    model, objectives = small_model(recipe), _objectives(recipe)
    objectives["shape"](torch.randn(8, 8), torch.arange(8) % 4)
    before = {name: value.clone() for name, value in objectives["shape"].named_buffers()}
    plain = _objectives(replace(recipe, memory=0))
    found = _validated(recipe, model, objectives)
    assert found.loss == _validated(recipe, model, plain).loss != 0
    after = dict(objectives["shape"].named_buffers())
    assert before and all(torch.equal(after[name], value) for name, value in before.items())


def test_photos_of_items_without_a_proxy_have_no_loss(backbone: str) -> None:
    recipe = small_recipe(backbone, loss="proxy-anchor", margin=0.1, watched="loss")
    dataset = small_dataset()
    trained, known = (
        tuple(photo for photo in photos if photo.item_id != "item 5")
        for photos in (dataset.train, dataset.validation)
    )
    split = Split(tuple(photo.key for photo in known), tuple(photo.key for photo in trained))
    untrained = replace(
        dataset,
        train=trained,
        validated={"held-out": replace(dataset.validated["held-out"], gallery=split.gallery)},
    )
    without = replace(untrained, validation=known, validated={"held-out": split})
    model, objectives = small_model(recipe), _objectives(recipe)
    found = _validated(recipe, model, objectives, untrained).loss
    assert found == _validated(recipe, model, objectives, without).loss
    assert found != _validated(recipe, model, objectives, dataset).loss


def test_a_recipe_that_watches_recall_measures_no_loss(backbone: str) -> None:
    recipe = small_recipe(backbone)
    found = _validated(recipe, small_model(recipe), _objectives(recipe))
    assert found.loss is None and "held-out" in found.scores


@pytest.mark.parametrize(("items", "held"), [(6, 1), (1, 2)])
def test_held_out_photos_without_a_triplet_cannot_be_watched(
    backbone: str, items: int, held: int
) -> None:
    recipe = small_recipe(backbone, watched="loss")
    dataset = small_dataset(items=items, held=held)
    with pytest.raises(UsageError, match=r"no loss to watch.*--watched recall_at_1"):
        make_validation(recipe, small_model(recipe), DECODED, dataset, ALONE)

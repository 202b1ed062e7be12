"""Losses, miners and the batches of an epoch, against formulas and plain loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch
from torch.nn import functional

from lens.errors import UsageError
from tests.sagemaker_training.small_models import small_recipe
from training.loop.losses import Objective, plan_epoch


def _batch(seed: int, count: int = 12, items: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    embeddings = functional.normalize(torch.randn(count, 8, generator=generator), dim=1)
    return embeddings, torch.arange(count) % items


def _proxies(objective: Objective) -> torch.Tensor:
    (proxies,) = objective.parameters()
    return proxies.detach()


def _triplets(
    embeddings: torch.Tensor, labels: torch.Tensor
) -> list[tuple[int, int, int, float, float]]:
    """Every anchor, positive and negative, with both distances."""
    distance = torch.cdist(embeddings, embeddings)
    places = range(len(labels))
    return [
        (a, p, n, float(distance[a, p]), float(distance[a, n]))
        for a, p, n in itertools.product(places, places, places)
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    ]


@pytest.mark.parametrize("seed", range(4))
def test_semi_hard_triplets_are_those_that_a_loop_finds(seed: int) -> None:
    recipe = small_recipe("none", loss="triplet", miner="semi-hard", margin=0.2)
    embeddings, labels = _batch(seed)
    terms = [
        near - far + 0.2
        for _, _, _, near, far in _triplets(embeddings, labels)
        if near < far < near + 0.2
    ]
    loss = Objective(recipe, 4, 8)(embeddings, labels)
    assert terms and float(loss) == pytest.approx(sum(terms) / len(terms), abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_batch_hard_takes_the_farthest_of_the_item_and_the_nearest_of_the_others(
    seed: int,
) -> None:
    recipe = small_recipe("none", loss="triplet", miner="batch-hard", margin=0.5)
    embeddings, labels = _batch(seed)
    terms = []
    for anchor in range(len(labels)):
        of_anchor = [t for t in _triplets(embeddings, labels) if t[0] == anchor]
        terms.append(max(t[3] for t in of_anchor) - min(t[4] for t in of_anchor) + 0.5)
    positive = [term for term in terms if term > 0]
    loss = Objective(recipe, 4, 8)(embeddings, labels)
    assert positive and float(loss) == pytest.approx(sum(positive) / len(positive), abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_proxy_anchor_is_the_paper_s_sum(seed: int) -> None:
    torch.manual_seed(seed)
    objective = Objective(small_recipe("none", loss="proxy-anchor", margin=0.1), 5, 8)
    embeddings, labels = _batch(seed)
    proxies = functional.normalize(_proxies(objective), dim=1)
    near, far = 0.0, 0.0
    for number, proxy in enumerate(proxies):
        cosines = [float(embedding @ proxy) for embedding in embeddings]
        own = [c for c, label in zip(cosines, labels, strict=True) if label == number]
        other = [c for c, label in zip(cosines, labels, strict=True) if label != number]
        near += math.log(1 + sum(math.exp(-32 * (c - 0.1)) for c in own))
        far += math.log(1 + sum(math.exp(32 * (c + 0.1)) for c in other))
    expected = near / 4 + far / 5  # only four of the five proxies have photos in the batch
    assert float(objective(embeddings, labels).detach()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", ["cosface", "arcface"])
def test_margin_softmax_losses_are_cross_entropies_of_shifted_cosines(loss: str) -> None:
    torch.manual_seed(0)
    objective = Objective(small_recipe("none", loss=loss, margin=0.3), 4, 8)
    embeddings, labels = _batch(0)
    proxies = functional.normalize(_proxies(objective).T, dim=1)
    terms = []
    for embedding, label in zip(embeddings, labels, strict=True):
        logits = [float(embedding @ proxy) for proxy in proxies]
        own = logits[label]
        logits[label] = own - 0.3 if loss == "cosface" else math.cos(math.acos(own) + 0.3)
        terms.append(
            math.log(sum(math.exp(64 * logit) for logit in logits)) - 64 * logits[int(label)]
        )
    expected = sum(terms) / len(terms)
    assert float(objective(embeddings, labels).detach()) == pytest.approx(expected, rel=1e-4)


def test_a_memory_compares_with_the_embeddings_of_earlier_batches() -> None:
    recipe = small_recipe("none", loss="triplet", margin=0.5, memory=24)
    objective = Objective(recipe, 4, 8)
    first, labels = _batch(1)
    second, _ = _batch(2)
    objective(first, labels)
    distance = torch.cdist(second, torch.cat([first, second]))
    known = torch.cat([labels, labels])
    terms = [
        float(distance[a, p] - distance[a, n] + 0.5)
        for a in range(12)
        for p, n in itertools.product(range(24), range(24))
        if p != a + 12 and known[p] == labels[a] != known[n]
    ]
    positive = [term for term in terms if term > 0]
    expected = sum(positive) / len(positive)
    assert float(objective(second, labels)) == pytest.approx(expected, abs=1e-5)


def test_an_epoch_is_planned_from_its_seed_and_number_alone() -> None:
    labels, recipe = np.repeat(np.arange(6), 4), small_recipe("none")
    first = plan_epoch(labels, recipe, seed=3, epoch=1)
    np.random.seed(9)
    assert np.array_equal(first, plan_epoch(labels, recipe, seed=3, epoch=1))
    assert not np.array_equal(first, plan_epoch(labels, recipe, seed=3, epoch=2))


def test_every_batch_has_m_photos_of_p_items() -> None:
    labels, recipe = np.repeat(np.arange(6), 4), small_recipe("none")
    for batch in plan_epoch(labels, recipe, seed=0, epoch=0):
        items, counts = np.unique(labels[batch], return_counts=True)
        assert len(items) == recipe.identities and set(counts) == {recipe.photos_each}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "cosface", "miner": "batch-hard"}, "takes no miner and no memory"),
        ({"loss": "triplet", "memory": 4}, "must hold a batch of 8"),
    ],
)
def test_losses_that_do_not_fit_together_are_refused(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Objective(small_recipe("none", **changes), 4, 8)


def test_too_few_items_for_a_batch_are_refused() -> None:
    with pytest.raises(UsageError, match="4 items, and there are 3: --identities 3"):
        plan_epoch(np.arange(3), small_recipe("none"), 0, 0)

"""What the shipped model finds of real photos; the strict protocol's gallery is embedded once.

Covers: evaluation, composites, kinds, street.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from lambdas.local import evaluation
from lambdas.local.evaluation import Evaluation, Trial, evaluate, partitioned, searcher_of, trial_of
from lambdas.local.shopper import colors, composites, kinds, street
from lambdas.local.shopper.folder import ShopperFolder
from lens.search.wanted import Wanted
from lens.settings import Settings
from tests.support.shipped_figures import RECALL_AT_1, SHOPPERS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(storefront: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    artifacts = tmp_path_factory.mktemp("real") / "artifacts"
    return Settings(catalog=str(storefront), artifacts=str(artifacts))


@pytest.fixture(scope="module")
def strict(settings: Settings) -> Iterator[Trial]:
    with trial_of(settings, "strict") as trial:
        yield trial


def _reached(found: Evaluation) -> tuple[int, int, int]:
    assert found.recall_at_k["1"] >= RECALL_AT_1[found.protocol]
    return found.embedding_dim, found.queries, found.gallery


def test_photos_are_found_by_the_default_model(settings: Settings) -> None:
    assert _reached(evaluate(settings, "benchmark", None)) == (128, 314, 287)


def test_other_views_are_found_by_the_default_model(
    settings: Settings, strict: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "trial_of", lambda *_: nullcontext(strict))
    assert _reached(evaluate(settings, "strict", None)) == (128, 213, 388)


def test_two_photos_find_more_than_one(strict: Trial) -> None:
    """In measure 74 % instead of 62 of the first hits (docs/experiments.md); here of every third
    pair."""
    views: dict[str, list[str]] = {}
    for key in strict.split.queries:
        views.setdefault(strict.partition[key].item_id, []).append(key)
    pairs = [(item, keys[:2]) for item, keys in views.items() if len(keys) > 1][::3]
    read = strict.catalog.storage.read

    def right(item: str, *keys: str) -> bool:
        found = strict.searcher.search([read(key)[0] for key in keys], Wanted(1)).hits
        return strict.partition[found[0].key].item_id == item

    alone = [right(item, key) for item, keys in pairs for key in keys]
    together = [right(item, *keys) for item, keys in pairs]
    assert len(pairs) > 20
    assert sum(together) / len(together) > sum(alone) / len(alone) + 0.05


def test_shoppers_photos_are_answered_no_worse_than_they_were(
    settings: Settings, strict: Trial, shopper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts of the protocol that find something, on their galleries. Whether there is no match,
    and the colors, are asked of drawn photos: test_protocol."""
    monkeypatch.setattr(colors, "measure", lambda *_: None)
    photos = ShopperFolder(shopper)
    of_composites, _ = composites.measure(strict, photos)
    catalog, partition = partitioned(settings)
    test_items = [key for key, entry in partition.items() if entry.status != "train"]
    with searcher_of(settings, test_items) as searcher:
        of_kinds = kinds.measure(searcher, catalog, test_items, photos)
        clothes = street.measure(searcher, test_items, photos).groups["clothes"]
    assert (of_composites.queries, of_composites.gallery) == (213, 388)
    assert (of_kinds.first.queries, of_kinds.gallery) == (378, 601)
    assert of_kinds.chance == pytest.approx(0.174, abs=0.001)
    assert clothes.garments == 58
    reached = {
        "composites": of_composites.whole["1"].value,
        "true box": of_composites.true_box["1"].value,
        "kinds": of_kinds.first.value,
        "street, first five": clothes.box_first_five.value,
    }
    assert all(_value(reached[part]) >= least for part, least in SHOPPERS.items()), reached


def _value(of: float | None) -> float:
    assert of is not None
    return of

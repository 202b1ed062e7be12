"""The gate of precisions: which forms of a model may serve, by the queries that they lose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.evaluation.protocols import Split
from lens.models.embedder import Embedder
from lens.models.manifest import HeadInfo, ModelManifest, PrecisionLoss, Variant
from tests.sagemaker_training.small_models import small_model, small_recipe
from tests.support.tiny_model import DIM, PREPROCESSING, tiny_graph
from training.data.dataset import read_dataset
from training.delivery.gate import embed_as_served
from training.delivery.precision_gate import (
    PrecisionVerdict,
    judge_precisions,
    measure_losses,
    without_backdrop,
)
from training.export.onnx_export import export_precisions
from training.loop.scoring import Vectors

KEYS = tuple(f"{i}.jpg" for i in range(60))
ITEMS = {key: f"item {i % 12}" for i, key in enumerate(KEYS)}
SPLITS = {"benchmark": Split(KEYS[:24], KEYS[24:])}
MANIFEST = ModelManifest(
    model_id="as exported",
    backbone="tiny",
    embedding_dim=DIM,
    preprocessing=PREPROCESSING,
    head=HeadInfo(kind="trained"),
    variants={"fp32": Variant(file="", sha256="")},
)


def _vectors(noise: float) -> Vectors:
    """Sixty photos of twelve items, each a little away from its item; `noise` beside that."""
    random = np.random.default_rng(0)
    centers = random.normal(size=(12, 16))
    rows = np.array([centers[i % 12] for i in range(60)]) + random.normal(size=(60, 16)) / 4
    rows = rows + noise * random.normal(size=rows.shape)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return dict(zip(KEYS, rows, strict=True))


def test_what_computes_the_same_loses_nothing() -> None:
    losses = measure_losses(_vectors(0), _vectors(0), ITEMS, SPLITS)
    assert losses == {"benchmark": PrecisionLoss(queries=0, top_10_overlap=1.0)}
    assert PrecisionVerdict("same", losses).admitted


def test_coarse_vectors_lose_queries_and_are_not_admitted() -> None:
    losses = measure_losses(_vectors(0), _vectors(1.0), ITEMS, SPLITS)
    verdict = PrecisionVerdict("coarse", losses)
    assert losses["benchmark"].queries > 2 and losses["benchmark"].top_10_overlap < 0.9
    assert not verdict.admitted
    assert "precision coarse: not admitted: benchmark" in verdict.line()


@pytest.mark.parametrize(
    ("queries", "overlap", "admitted"),
    [(2, 0.98, True), (3, 1.0, False), (0, 0.979, False), (-4, 0.99, True)],
)
def test_two_queries_and_two_in_a_hundred_results_may_be_lost_on_each_protocol(
    queries: int, overlap: float, admitted: bool
) -> None:
    good = PrecisionLoss(queries=0, top_10_overlap=1.0)
    losses = {"benchmark": good, "strict": PrecisionLoss(queries=queries, top_10_overlap=overlap)}
    assert PrecisionVerdict("some", losses).admitted is admitted


def test_vectors_that_agree_with_each_other_but_not_with_fp32_s_are_not_admitted() -> None:
    # Turned as a whole: searched among themselves they find the very same.
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 16)))
    exact = _vectors(0)
    turned = {key: (vector @ turn).astype(np.float32) for key, vector in exact.items()}
    losses = measure_losses(exact, turned, ITEMS, SPLITS)
    assert not PrecisionVerdict("turned", losses).admitted


@pytest.mark.parametrize("leave_one_out", [False, True])
def test_losses_are_those_of_a_naive_ranking(leave_one_out: bool) -> None:
    split = Split(KEYS, KEYS) if leave_one_out else SPLITS["benchmark"]
    exact, coarse = _vectors(0), _vectors(0.3)

    def ranked(key: str, queries: Vectors, gallery: Vectors) -> list[str]:
        others = [other for other in split.gallery if other != key]
        return sorted(others, key=lambda other: -float(queries[key] @ gallery[other]))[:10]

    def right(queries: Vectors, gallery: Vectors) -> int:
        return sum(ITEMS[ranked(key, queries, gallery)[0]] == ITEMS[key] for key in split.queries)

    pairings = ((coarse, coarse), (coarse, exact), (exact, coarse))
    overlaps = [
        np.mean(
            [
                len({*ranked(key, *pairing)} & {*ranked(key, exact, exact)}) / 10
                for key in split.queries
            ]
        )
        for pairing in pairings
    ]
    loss = measure_losses(exact, coarse, ITEMS, {"some": split})["some"]
    assert loss.queries == right(exact, exact) - min(right(*pairing) for pairing in pairings)
    assert loss.top_10_overlap == pytest.approx(min(overlaps))


def test_precisions_that_may_meet_each_other_are_measured_together() -> None:
    """Each is as near to fp32 as is allowed, and they are twice as far from each other."""
    exact, coarse, other = _vectors(0), _vectors(0.1), {}
    for key, vector in exact.items():
        other[key] = vector - 1.5 * (coarse[key] - vector)
        other[key] /= np.linalg.norm(other[key])
    alone = measure_losses(exact, coarse, ITEMS, SPLITS)["benchmark"]
    both = measure_losses(exact, coarse, ITEMS, SPLITS, others=[(other, other)])["benchmark"]
    assert both.top_10_overlap < alone.top_10_overlap
    same = measure_losses(exact, coarse, ITEMS, SPLITS, others=[(exact, exact)])["benchmark"]
    assert same == alone


def test_a_photo_s_vector_in_8_bits_does_not_depend_on_its_company(
    inshop: Path, backbone: str
) -> None:
    model = small_model(small_recipe(backbone))
    manifest = MANIFEST.model_copy(update={"preprocessing": model.preprocessing})
    embedder = Embedder(manifest, export_precisions(model)["int8"], "int8")
    keys = [str(path.relative_to(inshop)) for path in sorted(inshop.rglob("*.png"))[:6]]
    together = embed_as_served(embedder, inshop, keys)
    for key in keys:
        assert np.array_equal(embed_as_served(embedder, inshop, [key])[key], together[key])


def test_networks_are_judged_as_they_serve(inshop: Path) -> None:
    dataset = read_dataset(inshop, held_out="items", share=0.25)
    networks = {"good": tiny_graph(0), "other": tiny_graph(1), "fp32": tiny_graph(0)}

    def judged(splits: dict[str, Any]) -> list[PrecisionVerdict]:
        return judge_precisions(MANIFEST, networks, inshop, dataset.photos, splits)

    good, other = judged(dataset.tested)
    assert (good.precision, other.precision) == ("good", "other")
    assert good.admitted and not other.admitted
    none = {"queries": 0, "top_10_overlap": 1.0}
    protocols = ["benchmark", "strict", "benchmark, no backdrop", "strict, no backdrop"]
    assert good.figures()["losses"] == dict.fromkeys(protocols, none)
    lost = other.figures()["losses"]
    assert list(lost) == protocols and none not in lost.values()


def test_what_is_right_for_a_shop_s_photos_alone_is_not_admitted() -> None:
    exact, asked, lost = _vectors(0), _vectors(0.1), _vectors(1.0)
    same = measure_losses(exact, exact, ITEMS, SPLITS)
    filled = measure_losses(exact, exact, ITEMS, SPLITS, asking=(asked, lost))
    assert PrecisionVerdict("some", same).admitted
    assert not PrecisionVerdict("some", {**same, "no backdrop": filled["benchmark"]}).admitted
    assert measure_losses(exact, exact, ITEMS, SPLITS, asking=(asked, asked)) == same


def test_without_its_backdrop_a_photo_is_square_and_has_no_blank_patch() -> None:
    white = Image.new("RGB", (90, 140), "white")
    found = without_backdrop(white)
    assert found.size == (90, 90)
    assert found.getextrema() == ((229, 229),) * 3


def test_without_a_split_nothing_is_admitted_and_that_is_said(inshop: Path) -> None:
    networks = {"int8": tiny_graph(0), "fp32": tiny_graph(0)}
    (verdict,) = judge_precisions(MANIFEST, networks, inshop, (), {})
    assert not verdict.admitted
    assert "not written, there is no split to score it on" in verdict.line()
    assert judge_precisions(MANIFEST, {"fp32": tiny_graph(0)}, inshop, (), {}) == []

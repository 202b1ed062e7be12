"""Evaluation of vectors: the scores against a naive ranking."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.evaluation.protocols import Split
from lens.evaluation.score import KS
from training.data.dataset import Photo
from training.loop.scoring import ProtocolScores, score


def _scored(
    seed: int, *, leave_one_out: bool
) -> tuple[ProtocolScores, np.ndarray, list[Photo], Split]:
    """Sixty random vectors of twelve items in two categories."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    photos = [Photo(str(i), f"item {i % 12}", "ab"[i % 2]) for i in range(60)]
    keys = tuple(photo.key for photo in photos)
    split = Split(keys, keys) if leave_one_out else Split(keys[:20], keys[20:])
    by_key = dict(zip(keys, vectors, strict=True))
    return score(by_key, photos, split, "some"), vectors, photos, split


@pytest.mark.parametrize("leave_one_out", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_a_naive_ranking(seed: int, leave_one_out: bool) -> None:
    scores, vectors, photos, split = _scored(seed, leave_one_out=leave_one_out)
    hits = dict.fromkeys(KS, 0)
    precisions = []
    for key, answer in zip(split.queries, scores.answers, strict=True):
        query = int(key)
        others = [int(k) for k in split.gallery if k != key]
        ranked = sorted(others, key=lambda i: -float(vectors[query] @ vectors[i]))
        right = [photos[i].item_id == photos[query].item_id for i in ranked]
        total = sum(right)
        for k in KS:
            hits[k] += any(right[:k])
        precisions.append(
            sum(sum(right[: i + 1]) / (i + 1) for i in range(total) if right[i]) / total
        )
        assert answer.first_right in (right.index(True) + 1, 0)
        assert answer.hits == tuple(photos[i].key for i in ranked[:5])
    count = len(split.queries)
    assert scores.recall_at_k == pytest.approx({str(k): hits[k] / count for k in KS})
    assert scores.map_at_r == pytest.approx(sum(precisions) / count)


def test_categories_add_up_to_the_whole() -> None:
    scores = _scored(0, leave_one_out=True)[0]
    by_category = scores.by_category.values()
    total = sum(each["queries"] for each in by_category)
    weighted = sum(each["queries"] * each["recall_at_1"] for each in by_category) / total
    assert total == 60 and weighted == pytest.approx(scores.recall_at_k["1"])

"""Score: what a protocol's figures count, worked out by hand."""

from __future__ import annotations

import pytest

from lens.evaluation.score import KS, Score, Scorer


def test_recall_and_map_of_a_worked_example() -> None:
    scorer = Scorer(["shirt", "shirt", "coat", "hat"])
    assert scorer.add("shirt", ["coat", "shirt", "shirt", "hat"]).tolist() == [0, 1, 1, 0]
    scorer.add("coat", ["coat", "hat", "shirt", "shirt"])
    found = scorer.score()
    assert found.recall_at_k == {"1": 0.5, **{str(k): 1.0 for k in KS[1:]}}
    assert found.map_at_r == pytest.approx((1 / 4 + 1) / 2)  # R = 2: right at rank 2 alone


def test_a_query_of_an_item_that_the_gallery_lacks_counts_as_wrong() -> None:
    scorer = Scorer(["shirt"])
    scorer.add("dress", ["shirt"])
    assert scorer.score() == Score(1, dict.fromkeys(map(str, KS), 0.0), 0.0)


def test_a_query_s_own_photo_in_the_gallery_is_not_one_to_find() -> None:
    scorer = Scorer(["shirt", "shirt", "coat"])
    scorer.add("shirt", ["shirt", "coat"], in_gallery=True)
    assert scorer.score().map_at_r == 1.0


def test_the_depth_reaches_every_k_and_every_photo_of_an_item() -> None:
    assert Scorer(["shirt"] * 3).depth == max(KS)
    assert Scorer(["shirt"] * 50).depth == 50
    assert Scorer([]).depth == max(KS)


def test_no_query_scores_nothing() -> None:
    assert Scorer(["shirt"]).score() == Score(0, dict.fromkeys(map(str, KS), 0.0), 0.0)

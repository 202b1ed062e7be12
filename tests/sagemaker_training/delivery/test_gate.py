"""The gate: whether a candidate replaces the live model, and how the live one is scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.gallery.current import Current, swap_current
from lens.storage import open_storage
from tests.support.tiny_model import write_tiny_model
from training.data.dataset import read_dataset
from training.delivery.gate import judge, score_live
from training.loop.scoring import ProtocolScores


def _scores(recall_at_1: float) -> ProtocolScores:
    return ProtocolScores("benchmark", 4, {"1": recall_at_1}, 0.5, {}, ())


@pytest.mark.parametrize(
    ("candidate", "live", "margin", "passed"),
    [
        (0.80, 0.75, 0.03, True),
        (0.80, 0.77, 0.03, True),
        (0.80, 0.78, 0.03, False),
        (0.80, 0.80, 0.0, True),
        (0.79, 0.80, 0.0, False),
        (0.79, 0.80, -0.02, True),
    ],
)
def test_a_candidate_has_to_be_better_by_the_margin(
    candidate: float, live: float, margin: float, passed: bool
) -> None:
    verdict = judge("new", _scores(candidate), "old", _scores(live), margin)
    assert verdict.passed is passed
    assert f"{candidate:.4f} against {live:.4f} of old on benchmark" in verdict.reason
    assert ("does not pass" in verdict.reason) is not passed


def test_the_first_model_has_none_to_beat() -> None:
    verdict = judge("new", _scores(0.1), None, None, 0.03)
    assert verdict.passed and "none to beat" in verdict.reason


def test_the_live_model_is_scored_as_it_serves(inshop: Path, tmp_path: Path) -> None:
    artifacts = open_storage(tmp_path / "artifacts")
    dataset = read_dataset(inshop, held_out="items", share=0.25)
    split = dataset.tested["benchmark"]
    assert score_live(artifacts, inshop, dataset.photos, split, "benchmark") == (None, None)
    model_id = write_tiny_model(artifacts).model_id
    swap_current(artifacts, lambda _: Current(live=model_id))
    live_id, live = score_live(artifacts, inshop, dataset.photos, split, "benchmark")
    assert live_id == model_id and live is not None
    assert (len(live.answers), live.gallery) == (len(split.queries), len(split.gallery))
    # Items are colors here, so any model finds most of them, and random answers would not.
    assert live.recall_at_k["1"] > 0.5
    assert np.isfinite(live.map_at_r)

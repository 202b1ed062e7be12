"""Progress: the printed lines that metric definitions read, and TensorBoard's curves."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.evaluation.score import KS
from tests.sagemaker_training.conftest import PROGRAM
from tests.sagemaker_training.small_models import ALONE
from training.loop.progress import RunProgress
from training.loop.scoring import Answer, ProtocolScores


def _scores(protocol: str, first: float) -> ProtocolScores:
    recalls = {str(k): first + i / 100 for i, k in enumerate(KS)}
    return ProtocolScores(protocol, 7, recalls, first / 2, {}, (Answer("a", 1, (), ()),))


def _say_all(progress: RunProgress) -> None:
    """Every kind of line, each figure another number."""
    progress.step(10, 40, 1.25, 3e-5, 512.34)
    progress.scores("validation", _scores("leave-one-out", 0.6), 40)
    progress.scores("validation", _scores("strict", 0.65), 40)
    progress.validation(40, 0.625, 0.3125, 0.0625)
    progress.epoch(40, 1, 2, 1.125, 9.9)
    progress.scores("test", _scores("benchmark", 0.8), 0)
    progress.scores("test", _scores("strict", 0.7), 0)
    progress.close()


def test_every_metric_definition_finds_its_figure_and_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _say_all(RunProgress(ALONE))
    lines = capsys.readouterr().out.splitlines()
    definitions = json.loads((PROGRAM / "metric_definitions.json").read_text())
    found = {
        each["Name"]: [
            float(match[1]) for line in lines for match in re.finditer(each["Regex"], line)
        ]
        for each in definitions
    }
    assert found == {
        "train:loss": [1.25],
        "train:images_per_second": [512.3],
        "train:epoch_loss": [1.125],
        "validation:recall_at_1": [0.625],
        "validation:map_at_r": [0.3125],
        "validation:loss": [0.0625],
        "benchmark:recall_at_1": [0.8],
        "benchmark:recall_at_10": [0.82],
        "benchmark:map_at_r": [0.4],
        "strict:recall_at_1": [0.7],
        "strict:map_at_r": [0.35],
    }


def test_only_the_first_rank_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    _say_all(RunProgress(replace(ALONE, rank=1, world=2)))
    assert capsys.readouterr().out == ""


def test_the_curves_are_also_tensorboard_s(tmp_path: Path) -> None:
    _say_all(RunProgress(ALONE, tmp_path))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Scalars("train/loss")[0].value == 1.25
    assert events.Scalars("validation/recall_at_1")[0].value == 0.625
    assert events.Scalars("validation/loss")[0].value == 0.0625
    assert "validation/strict/map_at_r" in events.Tags()["scalars"]

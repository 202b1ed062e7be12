"""The record behind the table "The laptop recipe against the seed's": it must repeat the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from compare import Comparison, compare, main
from training.delivery.runs import Run, read_record

ROOT = Path(__file__).parents[3]
RECORD = ROOT / "sagemaker_training" / "records" / "laptop-vs-seed.json"
TRAINING, EXPERIMENTS = ROOT / "docs" / "training.md", ROOT / "docs" / "experiments.md"

PRINTED = """\
benchmark, 314 queries, Recall@1 in percent
  ours   83.2 ± 0.5 (83.1, 83.8, 82.8)
  theirs 72.6 ± 1.1 (73.9, 72.3, 71.7)
  ahead  +10.6, 95 % from +7.0 to +14.3
strict, 213 queries, Recall@1 in percent
  ours   75.9 ± 1.2 (74.6, 77.0, 76.1)
  theirs 51.5 ± 0.3 (51.2, 51.6, 51.6)
  ahead  +24.4, 95 % from +19.1 to +30.0
"""


@pytest.fixture(scope="module")
def groups() -> dict[str, list[Run]]:
    return read_record(RECORD)


@pytest.fixture(scope="module")
def tables(groups: dict[str, list[Run]]) -> list[Comparison]:
    return [compare(groups["ours"], groups["theirs"], name) for name in ("benchmark", "strict")]


def test_the_record_holds_three_seeds_of_each_recipe(groups: dict[str, list[Run]]) -> None:
    names = {group: [run.name for run in runs] for group, runs in groups.items()}
    assert names == {
        "ours": [f"laptop, seed {seed}" for seed in range(3)],
        "theirs": [f"seed, seed {seed}" for seed in range(3)],
    }


def test_the_command_prints_the_comparison_from_the_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--record", str(RECORD)]) == 0
    assert capsys.readouterr().out == PRINTED


def test_the_tables_of_both_pages_are_what_the_record_says(tables: list[Comparison]) -> None:
    short, long = TRAINING.read_text(), EXPERIMENTS.read_text()
    for found in tables:
        ours, theirs = _spread(found.ours), _spread(found.theirs)
        low, high = (f"{100 * value:+.1f}" for value in found.interval)
        name, ahead = found.protocol, f"{100 * found.difference:+.1f}"
        assert f"| Recall@1, {name} | {ours} % | {theirs} % | {low} to {high} |\n" in short
        row = f"| {name}, {found.queries} queries | **{ours}** | {theirs} |"
        assert f"{row} {ahead} ({low} to {high}) |\n" in long


def test_the_minutes_a_seed_are_what_the_record_says(groups: dict[str, list[Run]]) -> None:
    ours, theirs = (
        ", ".join(f"{run.seconds / 60:.0f}" for run in groups[name]) for name in ("ours", "theirs")
    )
    assert f"| minutes a seed | {ours} | {theirs} | |\n" in EXPERIMENTS.read_text()


def test_the_recorded_figures_follow_from_the_recorded_answers(
    groups: dict[str, list[Run]],
) -> None:
    for run in (*groups["ours"], *groups["theirs"]):
        for scores in run.scores.values():
            ranks = np.array([answer.first_right for answer in scores.answers])
            for k, recall in scores.recall_at_k.items():
                assert ((ranks >= 1) & (ranks <= int(k))).mean() == pytest.approx(recall)


def _spread(shares: tuple[float, ...]) -> str:
    """Mean and sample standard deviation, in percent."""
    return f"{100 * np.mean(shares):.1f} ± {100 * np.std(shares, ddof=1):.1f}"

"""The comparison of recipes, and the records of runs that it reads: differences and intervals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from compare import bootstrap_interval, compare, main
from lens.errors import UsageError
from training.delivery.runs import Run, read_record, read_run
from training.loop.scoring import Answer, ProtocolScores


def run_with(ranks: list[int], name: str = "ours", seed: int = 0) -> Run:
    """A run whose queries found their first right photo at these ranks."""
    answers = tuple(Answer(f"q{i}", rank, ("g",), (0.5,)) for i, rank in enumerate(ranks))
    recall = ranks.count(1) / len(ranks)
    scores = ProtocolScores("benchmark", 1, {"1": recall}, 0.5, {}, answers)
    return Run(
        "m", seed, {"name": name}, {}, {}, [{"epoch": 1, "loss": 1.0}], 60.0, {"benchmark": scores}
    )


def test_a_difference_that_holds_for_every_query_has_no_spread() -> None:
    found = compare([run_with([1, 1])], [run_with([2, 0])], "benchmark")
    assert (found.difference, found.interval) == (1.0, (1.0, 1.0))


def test_the_interval_is_that_of_the_normal_approximation_over_many_queries() -> None:
    gains = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 2_000, p=[0.1, 0.75, 0.15])
    low, high = bootstrap_interval(gains)
    error = gains.std() / np.sqrt(len(gains))
    assert low == pytest.approx(gains.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(gains.mean() + 1.96 * error, abs=0.1 * error)


def test_seeds_of_a_recipe_count_by_their_mean() -> None:
    ours = [run_with([1, 1, 2, 2], seed=0), run_with([1, 2, 1, 2], seed=1)]
    found = compare(ours, [run_with([2, 2, 2, 2])], "benchmark")
    assert found.ours == (0.5, 0.5) and found.difference == 0.5
    assert found.interval[0] < 0.5 < found.interval[1]


def test_runs_that_answered_other_queries_are_not_compared() -> None:
    with pytest.raises(UsageError, match="did not answer the same benchmark queries"):
        compare([run_with([1, 1])], [run_with([1, 1, 1])], "benchmark")


def test_the_command_prints_both_means_and_the_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"ours": [1, 1, 1, 2], "theirs": [1, 2, 2, 2]}
    for name, ranks in places.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(run_with(ranks, name).to_json())
    assert read_run(tmp_path / "ours") == run_with(places["ours"], "ours")
    assert main(["--ours", str(tmp_path / "ours"), "--theirs", str(tmp_path / "theirs")]) == 0
    printed = capsys.readouterr().out
    assert "benchmark, 4 queries" in printed and "ahead  +50.0, 95 % from +0.0" in printed


def test_a_record_of_the_runs_prints_the_same_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"ours": [run_with([1, 1, 2, 0])], "theirs": [run_with([1, 2, 0, 3], "theirs", 1)]}
    for name, runs in kept.items():
        (tmp_path / name).write_text(runs[0].to_json())
    record = tmp_path / "record.json"
    places = ["--ours", str(tmp_path / "ours"), "--theirs", str(tmp_path / "theirs")]
    assert main([*places, "--write-record", str(record)]) == 0
    printed = capsys.readouterr().out
    assert main(["--record", str(record)]) == 0
    assert capsys.readouterr().out == printed
    assert read_record(record) == {
        name: [without_hits(run) for run in runs] for name, runs in kept.items()
    }


def without_hits(run: Run) -> Run:
    """All of the run but the photos its queries found."""
    scores = {
        name: replace(
            each, answers=tuple(Answer(a.key, a.first_right, (), ()) for a in each.answers)
        )
        for name, each in run.scores.items()
    }
    return replace(run, scores=scores)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"ours": []}', '{"ours": [], "theirs": []}', '{"ours": [1], "theirs": []}']
)
def test_a_file_that_is_no_record_is_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "record.json").write_text(text)
    assert main(["--record", str(tmp_path / "record.json")]) == 2
    assert "is not a record of" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--ours", "a"], ["--ours", "a", "--record", "b"]])
def test_runs_are_named_by_both_groups_or_by_a_record_alone(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    assert "or by --record alone" in capsys.readouterr().err


def test_a_place_without_a_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--ours", str(tmp_path), "--theirs", str(tmp_path)]) == 2
    assert "is not a training run's run.json" in capsys.readouterr().err

"""The harness: benchmarks run apart, what fails costs the others nothing, and the JSON is whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import __main__ as harness
from tests.benchmarks import machine, report
from tests.benchmarks.figures import Spread, markdown, number, ratios, spread

pytestmark = pytest.mark.slow

FAKES = "tests.benchmarks.fakes"


def test_a_benchmark_that_fails_or_hangs_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = []
    write = report.write_json

    def watched(file: Path, results: Any) -> None:
        write(file, results)
        written.append(list(json.loads(file.read_text())["benchmarks"]))

    monkeypatch.setattr(report, "write_json", watched)
    output = tmp_path / "bench.json"
    breaks, hangs, measures = (f"{FAKES}.{name}" for name in ("breaks", "hangs", "measures"))
    harness.run([hangs], output, quick=True, seconds=3)
    results = json.loads(output.read_text())
    assert results["benchmarks"][hangs]["error"] == "stopped after 3 seconds"
    names = [breaks, measures]
    harness.run(names, output, quick=True)
    assert written[1:] == [names[:1], names], "what is known is written after each"
    results = json.loads(output.read_text())
    assert results["benchmarks"][measures]["figures"] == {"figure": 42, "quick": True}
    assert "no photos here" in results["benchmarks"][breaks]["error"]
    text = report.render(results, {name: harness.module(name) for name in names})
    assert "| an answer | 42 | 7 | 6 | 6x | ≥ 5x |" in text
    assert "### Measuring: a benchmark that comes to an end\n\nThe answer is 42." in text
    assert "Failed: RuntimeError: no photos here" in text
    assert "Quick run" in text
    assert text.startswith(machine.summary(results["machine"])), "first of all, what host it is"
    assert machine.summary(results["machine"]) in capsys.readouterr().err, "before it is measured"


def test_a_result_says_what_it_was_measured_on() -> None:
    described = machine.describe()
    assert set(described["libraries"]) == set(machine.LIBRARIES)
    for field in ("cpu", "cores", "memory_gib", "system", "python", "commit", "date"):
        assert described[field], field
    assert described["memory_gib"] > 0.1
    assert re.match(
        rf"{described['cores']} cores of {re.escape(described['cpu'])} \(.*\), "
        rf"governor {described['governor']}, load [0-9.]+ at the start, ",
        machine.summary(described),
    )
    assert json.loads(json.dumps(described)) == described


def test_what_is_missing_is_said_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "_NEEDED", ("json", "no_such_package"))
    assert harness.main([]) == 2
    assert "need no_such_package: run `make bench`" in capsys.readouterr().out


@pytest.mark.parametrize("name", harness.BENCHMARKS)
def test_every_benchmark_keeps_to_the_protocol(name: str) -> None:
    module = harness.module(name)
    assert callable(module.run) and callable(module.table)
    title = module.__doc__.partition("\n")[0]
    assert title.endswith("."), "its first sentence is its heading"


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratios([1, 20, 3], [2, 40, 6]) == Spread(0.5, 0.5, 0.5)
    assert spread([3, 1, 2, 10]) == Spread(2.5, 1, 10)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.1234, "0.123"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (123.4, "123"),
        (1234, "1,234"),
    ],
)
def test_figures_have_three_digits(value: float, written: str) -> None:
    assert number(value) == written


def test_a_table_is_markdown() -> None:
    lines = markdown(("", "ms"), [("a", "1")]).splitlines()
    assert lines == ["|  | ms |", "| --- | --: |", "| a | 1 |"]

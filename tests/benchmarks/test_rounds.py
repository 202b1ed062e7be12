"""A reconciliation in parts, measured: the calls go on with one another, and all differences are
found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.rounds import fill, run


def test_calls_are_made_until_the_whole_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path, 20_000)
    run(tmp_path, 20_000, 100.0, "")
    told = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in told[1:-1]] == ["1", "2", "3"]
    assert told[-2].endswith("{'differing': 4, 'queued': 4, 'regrouped': 0}")
    assert told[-1].endswith(" 4 looks")

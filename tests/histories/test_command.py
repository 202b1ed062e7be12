"""The command that plays histories: what fails is told with the command that repeats it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.histories import __main__ as command

ROOT = Path(__file__).parents[2]


def test_what_fails_is_told_and_the_others_are_played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        command, "trouble_of", lambda seed, tell: (seed, "lost\n" if seed == 8 else "")
    )
    monkeypatch.setattr(sys, "argv", ["histories", "--count", "3", "--seed", "7"])
    assert command.main() == 1
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["lost", "failed: python -m tests.histories --count 1 --tell --seed 8"]
    assert told[2].startswith("3 histories, seeds 7 to 9, in ")
    assert told[2].endswith(" 1 failed [8]")


@pytest.mark.slow
def test_several_processes_play_all() -> None:
    options = ["--count", "4", "--seed", "7", "--processes", "2"]
    played = subprocess.run(
        [sys.executable, "-m", "tests.histories", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert "4 histories, seeds 7 to 10, in " in played.stdout
    assert " 0 failed" in played.stdout

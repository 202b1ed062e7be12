"""Tests of `lens train`: the program as a process, its arguments and its failures passed on."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from lambdas.local import training
from lambdas.local.cli import main

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed here"
)


@needs_torch
def test_the_programs_own_help_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    told = capfd.readouterr().out
    assert "--preset" in told
    assert "--seed" in told


@pytest.mark.slow
@needs_torch
def test_what_the_program_does_not_understand_is_a_usage_error(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["train", "--output", str(tmp_path)]) == 2
    assert "name the photos: --data FOLDER" in capfd.readouterr().err


@pytest.mark.slow
@needs_torch
def test_a_failure_of_the_program_is_one_of_the_command(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = ["--data", str(tmp_path / "nothing"), "--output", str(tmp_path / "run")]
    assert main(["train", *given]) != 0
    assert "Traceback" not in capfd.readouterr().err


def test_without_torch_the_command_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["train"]) == 2
    assert "training needs torch: .venv/bin/python -m pip install" in capfd.readouterr().err


def test_outside_a_checkout_the_command_says_where_to_run_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "_PROGRAM", tmp_path / "train.py")
    assert main(["train"]) == 2
    assert "run this from a checkout" in capfd.readouterr().err


def test_other_commands_still_refuse_what_they_do_not_know(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["status", "--sead", "1"])
    assert caught.value.code == 2
    assert "unrecognized arguments: --sead" in capfd.readouterr().err

"""Tests of app.py, run as the CDK command runs it; tests/aws deploys with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"serach_memory": 1}, "did you mean search_memory?"),
        ({"model": "build/nowhere"}, "is missing: run `make assets"),
    ],
)
def test_a_wrong_setting_or_a_missing_file_is_one_line(
    context: dict[str, object], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cdk.app"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("cdk: ")]
    assert words in line
    assert "Traceback" not in done.stderr

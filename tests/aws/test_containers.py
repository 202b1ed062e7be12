"""Tests of cdk/containers.py: containers.json is what the SageMaker SDK says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PYTHON = ROOT / ".sagemaker/bin/python"  # `make test-aws` makes it
_ASK = (
    "import json, containers; from dataclasses import asdict; "
    "print(json.dumps(asdict(containers.look_up())))"
)


@pytest.mark.aws
def test_the_containers_are_those_that_the_sdk_knows() -> None:
    asked = subprocess.run(
        [_PYTHON, "-c", _ASK], cwd=ROOT / "cdk", capture_output=True, text=True, check=True
    )
    assert json.loads(asked.stdout) == json.loads((ROOT / "cdk/containers.json").read_text())

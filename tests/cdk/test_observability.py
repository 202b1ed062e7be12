"""Tests of observability.py: the alarms, whom they reach, and the dashboard."""

from __future__ import annotations

import json
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
        "WaitingPhotos",
        "HeldDeletions",
        "MassRemoval",
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

"""Tests of observability.py, alarms.py and endings.py: the alarms, and whom they reach.

Covers: alarms, endings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cdk.synthesis import Parts, synthesize

pytestmark = pytest.mark.slow


def test_every_kind_of_trouble_has_an_alarm_that_says_what_to_do(parts: Parts) -> None:
    alarms = [each["Properties"] for each in parts.named("AWS::CloudWatch::Alarm").values()]
    watched = {alarm["MetricName"] for alarm in alarms}
    assert watched == {
        "5xx",
        "5xxErrorRate",
        "Latency",
        "Count",
        "Duration",
        "Errors",
        "FailedMessages",
        "Throttles",
        "ExecutionsFailed",
        "NumberOfMessagesSent",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "GalleryAge",
        "Freshness",
        "RejectedPhotos",
        "WaitingPhotos",
        "HeldDeletions",
        "MassRemoval",
        "LostNotifications",
        "ClaimedAccountConcurrency",
    }
    assert all(":" in alarm["AlarmDescription"] for alarm in alarms)


def test_missing_data_breaches_only_where_something_must_come(parts: Parts) -> None:
    """Then the alarm waits for the first of it after a deployment."""
    breaching = {
        name.removeprefix("Observability")[:-8]: each["Properties"]["WarmUpConfiguration"]
        for name, each in parts.named("AWS::CloudWatch::Alarm").items()
        if each["Properties"]["TreatMissingData"] == "breaching"
    }
    assert {name: each["WarmUpPeriodDurationInMinutes"] for name, each in breaching.items()} == {
        "reconcilestopped": 180,
        "promotestopped": 180,
        "collectstopped": 26 * 60,
        "GalleryAge": 180,
    }


def test_cloudfront_is_watched_where_its_metrics_are(root: Path, tmp_path: Path) -> None:
    for region, watched in (("us-east-1", 1), ("eu-west-1", 0)):
        parts = Parts(synthesize(root, tmp_path / region, region=region))
        assert len(parts.named("AWS::CloudWatch::Alarm", "ObservabilitySite")) == watched


def test_a_stack_without_a_region_watches_cloudfront_in_us_east_1(parts: Parts) -> None:
    (alarm,) = parts.named("AWS::CloudWatch::Alarm", "ObservabilitySite").values()
    (name,) = parts.template["Conditions"].keys() & {alarm["Condition"]}
    assert parts.template["Conditions"][name] == {
        "Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]
    }


def test_every_function_and_every_queue_is_watched(parts: Parts) -> None:
    alarms = [each["Properties"] for each in parts.named("AWS::CloudWatch::Alarm").values()]
    watched = [json.dumps(alarm.get("Dimensions")) for alarm in alarms]
    for kind, prefix in (("AWS::Lambda::Function", "Functions"), ("AWS::SQS::Queue", "")):
        for name in parts.named(kind, prefix):
            assert any(f'"{name}"' in each for each in watched), name


def test_what_aws_announces_reaches_who_is_named(parts: Parts, root: Path, tmp_path: Path) -> None:
    """The end of a runtime is no metric: AWS Health tells of it half a year before."""

    def announcements(of: Parts) -> list[dict[str, Any]]:
        return list(of.named("AWS::Events::Rule", "ObservabilityAnnouncements").values())

    assert not announcements(parts)
    told = Parts(synthesize(root, tmp_path, alarm_email="shop@example.com"))
    (rule,) = announcements(told)
    (topic,) = told.named("AWS::SNS::Topic")
    pattern = rule["Properties"]["EventPattern"]
    assert pattern["source"] == ["aws.health"]
    assert "LAMBDA" in pattern["detail"]["service"]
    (target,) = rule["Properties"]["Targets"]
    assert target["Arn"] == {"Ref": topic}
    policy = json.dumps(told.one("AWS::SNS::TopicPolicy"))
    assert "events.amazonaws.com" in policy


def test_alarms_reach_who_is_named_and_nobody_else(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    assert not parts.named("AWS::SNS::Topic")
    told = Parts(synthesize(root, tmp_path, alarm_email="shop@example.com"))
    (topic,) = told.named("AWS::SNS::Topic")
    assert told.one("AWS::SNS::Subscription")["Endpoint"] == "shop@example.com"
    for alarm in told.named("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]

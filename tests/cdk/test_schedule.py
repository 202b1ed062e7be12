"""Tests of schedule.py: who is called how often, and where a failed call ends."""

from __future__ import annotations

import pytest

from tests.cdk.synthesis import Parts, text

pytestmark = pytest.mark.slow

SCHEDULED = {"reconcile": "rate(1 hour)", "collect": "rate(1 day)", "promote": "rate(1 hour)"}


@pytest.mark.parametrize("function", SCHEDULED)
def test_a_failed_run_is_tried_twice_more_and_then_kept_aside(parts: Parts, function: str) -> None:
    (rule,) = [
        each["Properties"]
        for each in parts.named("AWS::Events::Rule").values()
        if text(each["Properties"]["Targets"][0]["Arn"]).startswith(f"<Functions{function}")
    ]
    assert rule["ScheduleExpression"] == SCHEDULED[function]
    calls = parts.one("AWS::Lambda::EventInvokeConfig", f"Functions{function}")
    assert calls["MaximumRetryAttempts"] == 2
    destination = text(calls["DestinationConfig"]["OnFailure"]["Destination"])
    assert destination.startswith("<ScheduleFailed")


def test_the_records_of_failed_runs_are_encrypted_and_kept_for_two_weeks(parts: Parts) -> None:
    failed = parts.one("AWS::SQS::Queue", "Schedule")
    assert failed["SqsManagedSseEnabled"] is True
    assert failed["MessageRetentionPeriod"] == 14 * 86_400

"""Tests of spending.py: tags that tell a bill apart, and the budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cdk.synthesis import Parts, synthesize, text

pytestmark = pytest.mark.slow

# What costs money while it lies there or runs.
PAID = (
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::Logs::LogGroup",
    "AWS::ApiGatewayV2::Api",
    "AWS::CloudFront::Distribution",
    "AWS::StepFunctions::StateMachine",
    "AWS::CloudWatch::Alarm",
)


def _tags(resource: dict[str, Any]) -> dict[str, str]:
    tags = resource["Properties"].get("Tags", {})
    return tags if isinstance(tags, dict) else {each["Key"]: each["Value"] for each in tags}


def test_all_that_costs_money_names_its_stack_and_its_stage(parts: Parts) -> None:
    for kind in PAID:
        for name, resource in parts.named(kind).items():
            tags = _tags(resource)
            assert tags.get("image-lens:stack") == "ImageLens", name
            # CDK's own helpers at a deployment, and their logs, are no stage.
            assert "image-lens:stage" in tags or "Log" in name, name


def test_each_function_is_a_stage(parts: Parts) -> None:
    found = {
        _tags(each).get("image-lens:stage")
        for each in parts.named("AWS::Lambda::Function", "Functions").values()
    }
    assert found == {
        *("embed", "build_index", "compact", "reconcile", "collect", "promote", "setup", "search")
    }


def test_a_training_job_has_the_tags_of_what_cloudformation_makes(parts: Parts) -> None:
    """Step Functions makes it, so it inherits none."""
    machine = text(parts.one("AWS::StepFunctions::StateMachine")["DefinitionString"])
    assert '"Tags":[{"Key":"image-lens:stack","Value":"ImageLens"}' in machine
    assert '{"Key":"image-lens:stage","Value":"training"}' in machine


def test_a_budget_mails_before_it_is_spent_and_when_it_will_be(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    assert not parts.named("AWS::Budgets::Budget")
    given: dict[str, Any] = {"budget": 40, "alarm_email": "me@shop.example", "stack": "Shop"}
    budget = Parts(synthesize(root, tmp_path, **given)).one("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 40, "Unit": "USD"}
    assert budget["Budget"]["TimeUnit"] == "MONTHLY"
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:image-lens:stack$Shop"]}
    told = {
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
        for each in budget["NotificationsWithSubscribers"]
    }
    assert told == {("ACTUAL", 80), ("FORECASTED", 100)}
    for each in budget["NotificationsWithSubscribers"]:
        assert each["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "me@shop.example"}]

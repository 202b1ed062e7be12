"""Tests of dashboard.py: what the one page shows, and that it shows what is really sent."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from lambdas.telemetry import COLD_START, NAMESPACE
from lens.measures import Measure
from lens.models.form_line import METRIC
from lens.search.matching import Word
from tests.cdk.synthesis import Parts, text

RARE = (
    "FailedMessages",
    "ExecutionsFailed",
    "NumberOfMessagesSent",
    "ClaimedAccountConcurrency",
)
pytestmark = pytest.mark.slow


@pytest.fixture
def widgets(parts: Parts) -> list[dict[str, Any]]:
    """The page's widgets, in their order; references are written as <Name>."""
    body = text(parts.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    told: list[dict[str, Any]] = json.loads(body)["widgets"]
    return told


def _metrics(widgets: list[dict[str, Any]]) -> list[list[Any]]:
    return [each for widget in widgets for each in widget["properties"].get("metrics", ())]


def test_it_answers_three_questions_and_what_shoppers_find(widgets: list[dict[str, Any]]) -> None:
    titles = [each["properties"]["markdown"] for each in widgets if each["type"] == "text"]
    asked = [title.partition("\n")[0] for title in titles]
    assert asked == ["# Healthy?", "# Fast?", "# Of use?", "# What does it cost?"]


def test_what_the_alarms_watch_is_shown(parts: Parts, widgets: list[dict[str, Any]]) -> None:
    shown = {(metric[0], metric[1]) for metric in _metrics(widgets) if isinstance(metric[0], str)}
    for alarm in parts.named("AWS::CloudWatch::Alarm").values():
        watched = alarm["Properties"]
        if watched["MetricName"] in RARE:
            continue  # rare, and shown by their alarm
        assert (watched["Namespace"], watched["MetricName"]) in shown


def test_each_alarm_is_named_but_the_one_that_is_not_everywhere(
    parts: Parts, widgets: list[dict[str, Any]]
) -> None:
    (status,) = [each for each in widgets if each["type"] == "alarm"]
    named = {each.strip("<>") for each in status["properties"]["alarms"]}
    alarms = parts.named("AWS::CloudWatch::Alarm")
    assert named == {name for name, each in alarms.items() if "Condition" not in each}


def test_our_own_figures_have_the_names_that_functions_send(
    widgets: list[dict[str, Any]],
) -> None:
    """A graph of a metric that nobody sends is empty, and looks like a quiet day."""
    sent = {
        Measure.STAGE_SECONDS: {"service", "stage"},
        Measure.FRESHNESS: {"service"},
        Measure.MATCHES: {"service", "match"},
        COLD_START: {"service", "FunctionName"},
        METRIC: {"FunctionName"},
    }
    shown = [each for each in _metrics(widgets) if each[0] == NAMESPACE]
    assert {str(measure) for measure in sent} < {each[1] for each in shown}
    for _, name, *rest in shown:
        dimensions = set(rest[: -1 if isinstance(rest[-1], dict) else None : 2])
        assert dimensions == sent.get(name, {"service"}), name
    words = {each[each.index("match") + 1] for each in shown if "match" in each}
    assert words == {*get_args(Word), "unjudged"}
    assert f"{{{NAMESPACE},service,code}}" in json.dumps(widgets)


def test_costs_are_of_every_function_at_its_memory(
    parts: Parts, widgets: list[dict[str, Any]]
) -> None:
    (computing,) = [
        each for each in widgets if each["properties"].get("title") == "Functions, dollars an hour"
    ]
    told = {
        metric[0]["label"]: metric[0]["expression"]
        for metric in computing["properties"]["metrics"]
        if isinstance(metric[0], dict) and "expression" in metric[0]
    }
    for name, expression in told.items():
        gigabytes = parts.function(name)["MemorySize"] / 1_024
        assert expression == f"{name} / 1000 * {gigabytes} * 0.0000166667"
    assert len(told) == len(parts.named("AWS::Lambda::Function", "Functions"))

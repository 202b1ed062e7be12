"""Tests of failures.py."""

from __future__ import annotations

import json
from types import SimpleNamespace

from lens.pipeline.events import BatchReply, SqsEvent
from lens.pipeline.failures import counted

EVENT: SqsEvent = {"Records": []}
CONTEXT = SimpleNamespace(function_name="Shop-embed")


def _after(*failed: str) -> list[str]:
    """What is emitted when these messages fail; the reply is passed on."""
    reply: BatchReply = {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
    lines: list[str] = []
    assert counted(lambda event, context: reply, lines.append)(EVENT, CONTEXT) is reply
    return lines


def test_each_failed_message_is_counted_for_its_function() -> None:
    (line,) = _after("a", "b")
    told = json.loads(line)
    assert (told["FailedMessages"], told["FunctionName"]) == (2, "Shop-embed")


def test_the_line_is_one_in_which_cloudwatch_finds_the_metric() -> None:
    """Each dimension and metric that is named is a field of the same line."""
    told = json.loads(_after("a")[0])
    (metrics,) = told["_aws"]["CloudWatchMetrics"]
    named = [*metrics["Dimensions"][0], *(each["Name"] for each in metrics["Metrics"])]
    assert set(named) < set(told)
    assert told["_aws"]["Timestamp"] > 1.7e12  # milliseconds


def test_nothing_is_told_and_paid_for_where_nothing_fails() -> None:
    assert _after() == []

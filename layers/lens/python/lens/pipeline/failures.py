"""Failures: counts the failed messages of a batch, which Lambda does not count as errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from lens.pipeline.events import BatchReply, SqsEvent

NAMESPACE, METRIC = "ImageLens", "FailedMessages"


def counted(
    handler: Callable[[SqsEvent, object], BatchReply], emit: Callable[[str], None] = print
) -> Callable[[SqsEvent, object], BatchReply]:
    """The same handler, which emits how many messages of each batch failed, if any did: a line in
    the format in which CloudWatch reads metrics from a function's log."""

    def handle(event: SqsEvent, context: object = None) -> BatchReply:
        reply = handler(event, context)
        if failed := len(reply["batchItemFailures"]):
            emit(_line(getattr(context, "function_name", ""), failed, time.time()))
        return reply

    return handle


def _line(function: str, failed: int, now: float) -> str:
    metric = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": METRIC, "Unit": "Count"}],
    }
    return json.dumps(
        {
            "_aws": {"Timestamp": int(now * 1_000), "CloudWatchMetrics": [metric]},
            "FunctionName": function,
            METRIC: failed,
        }
    )

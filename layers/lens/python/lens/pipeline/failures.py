"""Failures: counts the failed messages of a batch, which Lambda does not count as errors."""

from __future__ import annotations

from collections.abc import Callable

from lens.metric_lines import metric_line
from lens.pipeline.events import BatchReply, SqsEvent

METRIC = "FailedMessages"


def counted(
    handler: Callable[[SqsEvent, object], BatchReply], emit: Callable[[str], None] = print
) -> Callable[[SqsEvent, object], BatchReply]:
    """The same handler, which emits how many messages of each batch failed, if any did: a line in
    the format in which CloudWatch reads metrics from a function's log."""

    def handle(event: SqsEvent, context: object = None) -> BatchReply:
        reply = handler(event, context)
        if failed := len(reply["batchItemFailures"]):
            name = getattr(context, "function_name", "")
            emit(metric_line(name, METRIC, failed, "Count"))
        return reply

    return handle

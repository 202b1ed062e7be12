"""A stack's search lines: read from the search function's log, where they lie among others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lambdas.local.stack.outputs import read_outputs
from lens.errors import DeploymentError, LensError, UsageError

OUTPUT = "SearchLog"
# In CloudWatch's syntax: JSON with one of these events. An emulator may send all lines for it.
_PATTERN = '{ ($.event = "search") || ($.event = "click") }'
_BEGINNING = '{"event":'


def stack_lines(stack: str, since: datetime | None = None) -> Iterator[str]:
    """The lines, by time. UsageError when there is no such stack, or an older release's;
    DeploymentError when its log cannot be read."""
    group = read_outputs(stack).get(OUTPUT)
    if group is None:
        raise UsageError(f"stack {stack} has no output {OUTPUT}: `make deploy` adds it")
    from lens import aws

    def meaning(code: str, status: int, message: str) -> LensError | None:
        if code != "ResourceNotFoundException":
            return None
        return UsageError(f"stack {stack} has no log {group}: `make deploy` makes it")

    start = {} if since is None else {"startTime": int(since.timestamp() * 1000)}
    with aws.explained(
        f"read the log {group}", DeploymentError, grant="logs:FilterLogEvents", meaning=meaning
    ):
        pages = aws.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group, filterPattern=_PATTERN, **start):
            messages = (event["message"] for event in page["events"])
            yield from (each for each in messages if each.startswith(_BEGINNING))

"""Again: has Lambda call this function once more, to go on with a listing that one call has no time
for.

Lambda ends a chain of about 16 such calls, which it takes for a loop: the next run on the schedule
goes on then.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from lens import aws
from lens.errors import QueueError
from lens.pipeline.listing import Cut, Listed, Listing

log = logging.getLogger(__name__)

# What such a call is told by.
GO_ON = {"go_on": True}
# Seconds before the end of a call by which a listing is cut.
_RESERVE = 60.0


def call_again(event: Mapping[str, Any] = GO_ON) -> None:
    """Ask for the call; it begins when this one may still be running."""
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    with aws.explained(f"call {name} again", QueueError, grant="lambda:InvokeFunction"):
        aws.client("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(event)
        )


def seconds_left(context: object) -> float:
    """Until Lambda ends this call; where nothing does, as much as Lambda would give."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return left() / 1_000 if left else 900.0


def list_within(
    listing: Listing, context: object, whole: float, go_on: Callable[[], None] = call_again
) -> Listed | Cut:
    """A listing, where it is whole and half of this call's `whole` time is left for what is done
    with it, unless it is so short that it was not written down. Else another call goes on."""
    reserve = min(_RESERVE, whole / 4)
    found = listing.go_on(lambda: seconds_left(context) < reserve)
    if isinstance(found, Listed):
        if not found.id or seconds_left(context) >= whole / 2:
            return found
        found = Cut(found.count)
    log.info("%d objects are listed; another call goes on", found.count)
    if not found.elsewhere:
        go_on()
    return found

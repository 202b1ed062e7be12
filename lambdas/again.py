"""Again: has Lambda call this function once more, to go on with what one call has no time for.

Lambda ends a chain of about 16 such calls, which it takes for a loop: the next run on the schedule
goes on then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from lens import aws
from lens.errors import QueueError

# What such a call is told by.
GO_ON = {"go_on": True}


def call_again(event: Mapping[str, Any] = GO_ON) -> None:
    """Ask for the call; it begins when this one may still be running."""
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    with aws.explained(f"call {name} again", QueueError, grant="lambda:InvokeFunction"):
        aws.client("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps(event)
        )

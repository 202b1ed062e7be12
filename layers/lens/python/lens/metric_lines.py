"""Metric lines: the format in which CloudWatch reads metrics from a function's log."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

NAMESPACE = "ImageLens"
FUNCTION = "FunctionName"


def metric_line(
    function: str,
    metric: str,
    value: float,
    unit: str,
    *,
    more: Mapping[str, str] | None = None,
    dimensions: Sequence[Sequence[str]] = ((FUNCTION,),),
) -> str:
    """One figure of a function. `more` is said with it, and counted apart where it is named among
    the dimensions."""
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(each) for each in dimensions],
        "Metrics": [{"Name": metric, "Unit": unit}],
    }
    return json.dumps(
        {
            "_aws": {"Timestamp": int(time.time() * 1_000), "CloudWatchMetrics": [described]},
            FUNCTION: function,
            **(more or {}),
            metric: value,
        }
    )

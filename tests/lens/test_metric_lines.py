"""Metric lines: CloudWatch finds each metric and dimension that a line names in the same line."""

from __future__ import annotations

import json
import time

from lens.metric_lines import FUNCTION, NAMESPACE, metric_line


def test_a_line_has_all_that_it_names() -> None:
    before = time.time()
    line = metric_line(
        "Shop-search", "Speed", 1.5, "Milliseconds", more={"Form": "fp32"}, dimensions=[["Form"]]
    )
    told = json.loads(line)
    (metrics,) = told["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == NAMESPACE
    assert metrics["Dimensions"] == [["Form"]]
    assert metrics["Metrics"] == [{"Name": "Speed", "Unit": "Milliseconds"}]
    assert (told["Speed"], told["Form"], told[FUNCTION]) == (1.5, "fp32", "Shop-search")
    assert before * 1_000 - 1 <= told["_aws"]["Timestamp"] <= time.time() * 1_000
    assert "\n" not in line


def test_a_figure_is_counted_by_its_function_unless_said() -> None:
    (metrics,) = json.loads(metric_line("f", "Failed", 1, "Count"))["_aws"]["CloudWatchMetrics"]
    assert metrics["Dimensions"] == [[FUNCTION]]

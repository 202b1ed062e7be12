"""Tests of tracing.py: no function sends spans, or may, unless it is asked to."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.traces import ENDPOINT, SHARE
from tests.cdk.synthesis import Parts, several, synthesize, text

pytestmark = pytest.mark.slow


def _spans(parts: Parts, function: str) -> list[str]:
    return [
        action
        for each in parts.statements(function)
        for action in several(each["Action"])
        if action.startswith("xray:")
    ]


def test_spans_go_to_x_ray_where_that_is_asked_for(root: Path, tmp_path: Path) -> None:
    """cdk-nag takes part: a finding that is not accepted fails the synthesis."""
    parts = Parts(synthesize(root, tmp_path, traces="xray", traces_share=0.5))
    for function in ("search", "embed", "build_index"):
        variables = parts.function(function)["Environment"]["Variables"]
        assert text(variables[ENDPOINT]) == "https://xray.<AWS::Region>.amazonaws.com"
        assert variables[SHARE] == "0.5"
        assert "xray:PutSpans" in _spans(parts, function)


def test_spans_go_to_a_collector_without_a_permission(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, traces="https://collector.example"))
    variables = parts.function("search")["Environment"]["Variables"]
    assert variables[ENDPOINT] == "https://collector.example"
    assert _spans(parts, "search") == []


def test_none_are_sent_by_default(parts: Parts) -> None:
    assert ENDPOINT not in parts.function("search")["Environment"]["Variables"]
    assert _spans(parts, "search") == []

"""Tracing: where functions send spans, and what they may do there."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from cdk.config import Config

_XRAY = "xray"


def traces_environment(config: Config) -> dict[str, str]:
    """OpenTelemetry's own variables, which lens.traces reads."""
    if not config.traces:
        return {}
    xray = f"https://xray.{Aws.REGION}.amazonaws.com"
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": xray if config.traces == _XRAY else config.traces,
        "OTEL_TRACES_SAMPLER_ARG": str(config.traces_share),
    }


def traces_policy(config: Config) -> list[iam.PolicyStatement]:
    """Send spans to X-Ray, for which there are no resources to name."""
    if config.traces != _XRAY:
        return []
    actions = ["xray:PutTraceSegments", "xray:PutSpans", "xray:PutSpansForIndexing"]
    return [iam.PolicyStatement(actions=actions, resources=["*"])]

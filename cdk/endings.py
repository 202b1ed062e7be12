"""Endings: what ends some day although nothing fails, told while there is time."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.alarms import FOR_A_QUARTER, Alarms
from cdk.config import Config
from cdk.maintenance import METRICS

# Of the functions that an account may run at a time.
_NEARLY_ALL = 0.8
# ACM renews two months before the end: what has so few left was not renewed.
_CERTIFICATE_DAYS = 21
# Whose announcements concern a stack: the end of a runtime, certificates, what must be renewed.
_SERVICES = ("LAMBDA", "ACM", "CLOUDFRONT", "S3", "SQS", "SAGEMAKER", "STATES", "APIGATEWAY")
_KINDS = ("scheduledChange", "accountNotification")


def watch_endings(scope: Construct, alarms: Alarms, config: Config) -> None:
    """The account's concurrency, the domain's certificate, and what AWS announces."""
    claimed = cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name="ClaimedAccountConcurrency",
        period=Duration.minutes(5),
        statistic="Maximum",
    )
    alarms.add(
        "ConcurrencyUsed",
        claimed,
        round(_NEARLY_ALL * config.account_concurrency),
        f"Nearly all of the {config.account_concurrency} functions that Lambda runs at a time in "
        "this account are taken: ask for more before searches are throttled.",
        when=FOR_A_QUARTER,
    )
    if config.domain:
        _certificate(alarms, config)
    if alarms.topic:
        _announcements(scope, alarms.topic, config)


def _certificate(alarms: Alarms, config: Config) -> None:
    """CloudFront's lies in us-east-1 alone, so `reconcile` looks at it, as a browser does."""
    days = cloudwatch.Metric(
        namespace=METRICS,
        metric_name="CertificateDays",
        dimensions_map={"service": config.stack},
        period=Duration.hours(config.reconcile_hours),
        statistic="Maximum",
    )
    alarms.add(
        "CertificateEnds",
        days,
        _CERTIFICATE_DAYS,
        f"The certificate of {config.domain} ends within {_CERTIFICATE_DAYS} days, or is not taken "
        "by browsers: see in ACM why it was not renewed.",
        below=True,
    )


def _announcements(scope: Construct, topic: sns.ITopic, config: Config) -> None:
    """Of AWS Health: the end of a runtime is no metric."""
    code, start, text = (
        events.EventField.from_path(f"$.detail.{name}")
        for name in ("eventTypeCode", "startTime", "eventDescription[0].latestDescription")
    )
    events.Rule(
        scope,
        "Announcements",
        description=f"{config.stack}: what AWS announces of services that it uses",
        event_pattern=events.EventPattern(
            source=["aws.health"],
            detail={"service": list(_SERVICES), "eventTypeCategory": list(_KINDS)},
        ),
        targets=[
            targets.SnsTopic(
                topic,
                message=events.RuleTargetInput.from_text(
                    f"AWS announces for {config.stack}: {code}, {start}. Runbook: "
                    f"docs/operations.md#what-ends-some-day. {text}"
                ),
            )
        ],
    )

"""The schedule: calls functions every few hours, and keeps a record of the calls that failed."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import Config
from cdk.keys import queue_key_of

# The longest that SQS keeps a message.
_RETENTION = Duration.days(14)


class Schedule(Construct):
    """`hours` between two calls, by the function's name; `failed` gets a record of each call whose
    attempts all failed. Nothing has to be done with a record: the next call does the work."""

    def __init__(self, scope: Construct, name: str, *, config: Config) -> None:
        super().__init__(scope, name)
        key = queue_key_of(self, config)
        self.hours: dict[str, int] = {}
        self.failed = sqs.Queue(
            self,
            "Failed",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=_RETENTION,
        )

    def every(self, scope: Construct, hours: int, function: lambda_.Function) -> None:
        """Call it every so many hours; the rule is made in `scope`."""
        self.hours[function.node.id] = hours
        events.Rule(
            scope,
            f"{function.node.id}-schedule",
            schedule=events.Schedule.rate(Duration.hours(hours)),
            targets=[targets.LambdaFunction(function, retry_attempts=2)],
        )
        # Lambda's own two retries, of what the function raised; EventBridge's are for calls that
        # Lambda did not take.
        function.configure_async_invoke(
            on_failure=destinations.SqsDestination(self.failed), retry_attempts=2
        )

"""The event queue: a bucket's events, the function that handles them, and its dead letters."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as s3n
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import Config
from cdk.keys import queue_key_of

# The longest that SQS keeps a message. Tombstones are kept longer than a message can wait in the
# queue and among the dead letters together.
_RETENTION = Duration.days(14)


class EventQueue(Construct):
    """`queue` and `dead_letters`; `subscribe_to` names the events, `invoke` the `function`. What
    failed is tried again after a `pause`."""

    def __init__(self, scope: Construct, name: str, *, config: Config, timeout: Duration) -> None:
        """`timeout` is the function's; messages stay hidden six times as long, as AWS advises."""
        super().__init__(scope, name)
        self.function: lambda_.Function | None = None
        self.pause = Duration.seconds(6 * int(timeout.to_seconds()))
        key = queue_key_of(self, config)
        self.dead_letters = _queue(self, "DeadLetters", key)
        self.queue = _queue(
            self,
            "Queue",
            key,
            visibility_timeout=self.pause,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=config.receives
            ),
        )

    def subscribe_to(self, bucket: s3.IBucket, prefix: str, events: Sequence[s3.EventType]) -> None:
        """Queue these events of the objects under a prefix."""
        for event in events:
            bucket.add_event_notification(
                event, s3n.SqsDestination(self.queue), s3.NotificationKeyFilter(prefix=prefix)
            )

    def invoke(
        self,
        function: lambda_.Function,
        *,
        batch: int,
        window: Duration,
        concurrency: int,
        after: Construct,
    ) -> None:
        """Invoke the function with batches of events, once `after` is deployed.

        The function's reply names the messages that failed; only those are tried again.
        """
        self.function = function
        self.queue.grant_consume_messages(function)
        source = lambda_.EventSourceMapping(
            self,
            "Source",
            target=function,
            event_source_arn=self.queue.queue_arn,
            batch_size=batch,
            max_batching_window=window,
            max_concurrency=concurrency,
            report_batch_item_failures=True,
        )
        source.node.add_dependency(after)


def _queue(scope: Construct, name: str, key: kms.IKey | None, **properties: object) -> sqs.Queue:
    return sqs.Queue(
        scope,
        name,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=_RETENTION,
        **properties,  # type: ignore[arg-type]
    )

"""A feed: a bucket's events in a queue, the function that answers them, and its dead letters."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as s3n
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import Config

# The longest that SQS keeps a message; tombstones outlive both queues together.
_KEPT = Duration.days(14)


class Feed(Construct):
    """`queue` and `dead_letters`; `answer` gives them their function."""

    def __init__(self, scope: Construct, name: str, *, config: Config, timeout: Duration) -> None:
        """`timeout` is the function's: a message must stay hidden well beyond its tries."""
        super().__init__(scope, name)
        self.dead_letters = _queue(self, "DeadLetters")
        self.queue = _queue(
            self,
            "Queue",
            visibility_timeout=Duration.seconds(6 * int(timeout.to_seconds())),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=config.receives
            ),
        )

    def listen(self, bucket: s3.IBucket, prefix: str, events: Sequence[s3.EventType]) -> None:
        """Queue these events of the objects under a prefix."""
        for event in events:
            bucket.add_event_notification(
                event, s3n.SqsDestination(self.queue), s3.NotificationKeyFilter(prefix=prefix)
            )

    def answer(
        self,
        function: lambda_.Function,
        *,
        batch: int,
        window: Duration,
        concurrency: int,
        after: Construct,
    ) -> None:
        """Let the function answer batches, once `after` is done; it names those that failed."""
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


def _queue(scope: Construct, name: str, **properties: object) -> sqs.Queue:
    return sqs.Queue(
        scope,
        name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=_KEPT,
        **properties,  # type: ignore[arg-type]
    )

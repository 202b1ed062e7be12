"""The queues between the stages on AWS: SQS, and moving dead letters back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lens.errors import StorageError
from lens.events import looks_message
from lens.storage.aws_errors import explained
from lens.versions import Look

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

# SQS takes ten messages in a request. A message of a few keys keeps a request far below its
# 256 KiB, and one key that fails holds up few others.
_MESSAGES = 10
_LOOKS = 10
_TRIES = 4


class Queue:
    """An SQS queue by its URL; every failure is a StorageError."""

    def __init__(self, url: str) -> None:
        self.url = url
        config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5)
        with self._explained("open", "access"):
            self._client: SQSClient = boto3.session.Session().client("sqs", config=config)

    def send(self, bodies: Sequence[str]) -> None:
        """Send every message, or raise."""
        for start in range(0, len(bodies), _MESSAGES):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(position), "MessageBody": body}
                for position, body in enumerate(bodies[start : start + _MESSAGES])
            ]
            for _ in range(_TRIES):
                with self._explained("send to", "sqs:SendMessage"):
                    reply = self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
                refused = {failure["Id"] for failure in reply.get("Failed", [])}
                entries = [entry for entry in entries if entry["Id"] in refused]
                if not entries:
                    break
            else:
                reason = reply["Failed"][0].get("Message", reply["Failed"][0]["Code"])
                raise StorageError(f"cannot send to {self.url}: {reason}; try again later")

    def receive(self, seconds: int) -> list[MessageTypeDef]:
        """A few messages, hidden from others for so long; none when the queue is empty."""
        with self._explained("receive from", "sqs:ReceiveMessage"):
            reply = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=_MESSAGES,
                VisibilityTimeout=seconds,
                WaitTimeSeconds=1,  # asks every server of the queue, not a few of them
            )
        return reply.get("Messages", [])

    def delete(self, message: MessageTypeDef) -> None:
        """Take a received message off the queue."""
        with self._explained("delete from", "sqs:DeleteMessage"):
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def depth(self) -> int:
        """About how many messages are in the queue, those being worked on included."""
        with self._explained("read", "sqs:GetQueueAttributes"):
            reply = self._client.get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        return sum(map(int, reply.get("Attributes", {}).values()))

    @contextmanager
    def _explained(self, action: str, grant: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise explained(f"{action} {self.url}", error, grant) from error


def send_looks(queue: Queue, looks: Sequence[Look]) -> None:
    """Ask embed to look at these keys."""
    queue.send(
        [looks_message(looks[start : start + _LOOKS]) for start in range(0, len(looks), _LOOKS)]
    )


def redrive(
    dead_letters: Queue, queue: Queue, progress: Callable[[int, int], None] | None = None
) -> int:
    """Move dead letters back into their queue; how many.

    Each is sent before it is deleted: interrupted, some are there twice, and none is lost. No
    more are moved than there were, so that one which fails again at once is not moved for ever.
    """
    total, moved = dead_letters.depth(), 0
    while moved < total:
        messages = dead_letters.receive(seconds=60)
        if not messages:
            break
        for message in messages:
            queue.send([message["Body"]])
            dead_letters.delete(message)
            moved += 1
        if progress:
            progress(moved, max(moved, total))
    return moved

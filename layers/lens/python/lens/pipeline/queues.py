"""Queues: the SQS queues between the stages, their depths, and the redrive of dead letters."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from lens import aws
from lens.errors import LensError, QueueError
from lens.gallery.versions import Look
from lens.pipeline.events import looks_message
from lens.progress import Progress

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Few, because a key that fails takes its message's other looks to the dead letters with it.
LOOKS = 10
# SQS's limits for one request.
_ENTRIES = 10
# Requests under way at a time: nearly all of a request is waiting.
SENDERS = 8
_REQUEST_BYTES = 256 * 1024
_TRIES = 5
# How long a dead letter stays hidden while it is being moved.
_MOVING_SECONDS = 60


@dataclass(frozen=True)
class Message:
    """A message that was received, until it is deleted or appears again."""

    body: str
    receipt: str


@dataclass(frozen=True)
class Depth:
    """How many messages a queue has: `waiting` for somebody, and `taken` but not done."""

    waiting: int
    taken: int


class Queue:
    """One queue, by its URL; safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        with self._explained("open", "access"):
            self._client: SQSClient = aws.client("sqs")

    def send_looks(self, looks: Iterable[Look], progress: Progress | None = None) -> None:
        """Ask for these looks. Raises QueueError when SQS does not take them all."""
        looks = list(looks)
        parts = (looks[start : start + LOOKS] for start in range(0, len(looks), LOOKS))
        requests = _requests(looks_message(part) for part in parts)
        sent = 0
        with ThreadPoolExecutor(SENDERS, "sqs") as pool:
            # Not all at once: the messages of millions of looks would be in memory together.
            while some := list(islice(requests, 10 * SENDERS)):
                for request, _ in zip(some, pool.map(self.send, some), strict=True):
                    sent += len(request)
                    if progress:
                        progress(min(sent * LOOKS, len(looks)), len(looks))

    def send(self, bodies: Sequence[str]) -> None:
        """Send what fits into one request; what SQS refuses is tried again, then QueueError."""
        left = {str(number): body for number, body in enumerate(bodies)}
        for attempt in range(_TRIES):
            with self._explained("send to", "sqs:SendMessage"):
                reply = self._client.send_message_batch(
                    QueueUrl=self.url,
                    Entries=[{"Id": name, "MessageBody": body} for name, body in left.items()],
                )
            failed = reply.get("Failed", [])
            left = {entry["Id"]: left[entry["Id"]] for entry in failed}
            if not left:
                return
            time.sleep(random.uniform(0, 0.1 * 2**attempt))
        reason = failed[0].get("Message", failed[0]["Code"])
        raise QueueError(
            f"{self.url} took {len(bodies) - len(left)} messages of {len(bodies)}: "
            f"{reason}; try again"
        )

    def receive(self, most: int) -> list[Message]:
        """Up to this many messages (at most 10), hidden for a minute; none when it is empty."""
        with self._explained("receive from", "sqs:ReceiveMessage"):
            reply = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(most, _ENTRIES),
                VisibilityTimeout=_MOVING_SECONDS,
                # A long poll asks all of SQS's servers; a short one may miss the last messages.
                WaitTimeSeconds=1,
            )
        return [
            Message(message["Body"], message["ReceiptHandle"])
            for message in reply.get("Messages", [])
        ]

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete received messages, at most 10. Raises QueueError when some remain."""
        with self._explained("delete from", "sqs:DeleteMessage"):
            reply = self._client.delete_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message.receipt}
                    for number, message in enumerate(messages)
                ],
            )
        if failed := reply.get("Failed", []):
            reason = failed[0].get("Message", failed[0]["Code"])
            raise QueueError(f"{len(failed)} messages stay in {self.url}: {reason}; try again")

    def depth(self) -> Depth:
        """How full it is, as SQS knows it: to within a minute."""
        with self._explained("look at", "sqs:GetQueueAttributes"):
            reply = self._client.get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
        found = reply["Attributes"]
        return Depth(
            waiting=int(found["ApproximateNumberOfMessages"]),
            taken=int(found["ApproximateNumberOfMessagesNotVisible"]),
        )

    def _explained(self, action: str, grant: str) -> AbstractContextManager[None]:
        def meaning(code: str, status: int, message: str) -> LensError | None:
            absent = code in {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
            return QueueError(f"there is no queue {self.url}: check its URL") if absent else None

        return aws.explained(f"{action} {self.url}", QueueError, grant=grant, meaning=meaning)


def redrive(dead_letters: Queue, queue: Queue, progress: Progress | None = None) -> int:
    """Move a queue's dead letters back to it; how many were moved.

    No more than there were at the start, so that one which fails again is not moved for ever. A
    message is deleted once it is sent: interrupted, some are sent twice and none is lost.
    """
    total, moved = dead_letters.depth().waiting, 0
    while moved < total:
        messages = dead_letters.receive(total - moved)
        if not messages:
            break
        for bodies in _requests(message.body for message in messages):
            queue.send(bodies)
        dead_letters.delete(messages)
        moved += len(messages)
        if progress:
            progress(moved, total)
    return moved


def _requests(bodies: Iterable[str]) -> Iterator[list[str]]:
    """The messages in as many at a time as one request may have."""
    request: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if request and (len(request) == _ENTRIES or size + length > _REQUEST_BYTES):
            yield request
            request, size = [], 0
        request.append(body)
        size += length
    if request:
        yield request

"""Queues in memory (moto), and what lies in them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from lens.gallery.versions import Look
from lens.pipeline.events import looks_in
from lens.pipeline.queues import Queue

REGION = "us-east-1"


def make_queue(monkeypatch: pytest.MonkeyPatch, name: str = "looks") -> Queue:
    """A new queue beside the bucket in memory."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    return Queue(client().create_queue(QueueName=name)["QueueUrl"])


def client() -> Any:
    """SQS in memory."""
    return boto3.client("sqs", region_name=REGION)


def bodies(queue: Queue) -> list[str]:
    """The messages that wait in a queue; they are taken out of it."""
    found = []
    while (
        messages := client()
        .receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
        .get("Messages")
    ):
        for message in messages:
            client().delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message["Body"])
    return found


def looks(queue: Queue) -> list[Look]:
    """The looks that wait in a queue; they are taken out of it."""
    return [look for body in bodies(queue) for look in looks_in(body, "")]

"""Tests of the queues, on SQS in memory (moto)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from lens.errors import StorageError
from lens.events import looks_in
from lens.queues import Queue, redrive, send_looks
from lens.versions import Look, Version


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Queue, Queue]]:
    """A queue and its dead letters."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("sqs")
        urls = [client.create_queue(QueueName=name)["QueueUrl"] for name in ("q", "dead")]
        yield Queue(urls[0]), Queue(urls[1])


def everything(queue: Queue) -> list[str]:
    """All bodies in a queue, each once."""
    bodies = []
    while messages := queue.receive(seconds=30):
        bodies += [message["Body"] for message in messages]
    return bodies


def test_looks_arrive_whole_and_a_few_to_a_message(queues: tuple[Queue, Queue]) -> None:
    queue, _ = queues
    looks = [Look(f"é{n}.jpg", Version("0A", n), "m" if n % 2 else None) for n in range(237)]
    send_looks(queue, looks)
    bodies = everything(queue)
    assert len(bodies) == 24
    arrived = [look for body in bodies for look in looks_in(body, "catalog/")]
    assert sorted(arrived, key=lambda look: look.version.n) == looks


def test_nothing_to_look_at_sends_nothing(queues: tuple[Queue, Queue]) -> None:
    send_looks(queues[0], [])
    assert queues[0].depth() == 0


def test_redrive_moves_every_dead_letter_back(queues: tuple[Queue, Queue]) -> None:
    queue, dead = queues
    dead.send([json.dumps(n) for n in range(37)])
    seen: list[tuple[int, int]] = []
    assert redrive(dead, queue, lambda done, total: seen.append((done, total))) == 37
    assert sorted(map(int, everything(queue))) == list(range(37))
    assert dead.depth() == 0
    assert seen[-1] == (37, 37)


def test_an_interrupted_redrive_loses_nothing(queues: tuple[Queue, Queue]) -> None:
    queue, dead = queues
    dead.send(["a", "b", "c"])

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        redrive(dead, queue, interrupt)
    assert set(everything(queue)) | set(everything(dead)) == {"a", "b", "c"}


def test_redrive_ends_although_messages_come_back_at_once(queues: tuple[Queue, Queue]) -> None:
    _, dead = queues
    dead.send(["poison"])
    assert redrive(dead, dead) == 1


def test_a_missing_queue_is_one_line_that_says_what_to_do(queues: tuple[Queue, Queue]) -> None:
    missing = Queue(queues[0].url + "-missing")
    for attempt in (lambda: missing.send(["x"]), missing.depth, lambda: missing.receive(1)):
        with pytest.raises(StorageError, match=r"cannot .*missing.*; check the location") as caught:
            attempt()
        assert "\n" not in str(caught.value)

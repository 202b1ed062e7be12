"""The queues, on SQS in memory: what is sent arrives, once moved it is not lost, limits hold."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.stub import Stubber

from lens.errors import QueueError
from lens.gallery.versions import Look, Version
from lens.pipeline import queues
from lens.pipeline.events import looks_in
from lens.pipeline.queues import Queue, redrive
from tests.support.sqs_queues import bodies, looks, make_queue

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/looks"


@pytest.fixture
def queue(s3: None, monkeypatch: pytest.MonkeyPatch) -> Queue:
    return make_queue(monkeypatch)


@pytest.fixture
def dead(s3: None, monkeypatch: pytest.MonkeyPatch) -> Queue:
    return make_queue(monkeypatch, "dead")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def asked(count: int, key: str = "photo") -> list[Look]:
    return [Look(f"{key}-{n}.jpg", Version("0055AE", n), "model-1") for n in range(count)]


def test_every_look_arrives_few_to_a_message(queue: Queue) -> None:
    done: list[tuple[int, int]] = []
    queue.send_looks(asked(257), lambda *progress: done.append(progress))
    messages = [looks_in(body, "") for body in bodies(queue)]
    assert {look for message in messages for look in message} == set(asked(257))
    assert sum(map(len, messages)) == 257
    assert max(map(len, messages)) == queues.LOOKS
    assert done == [(100, 257), (200, 257), (257, 257)]


def test_several_requests_are_under_way_at_a_time(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(queues.SENDERS, timeout=60)
    sent: list[str] = []

    def send(bodies: Sequence[str]) -> None:
        together.wait()
        sent.extend(bodies)

    monkeypatch.setattr(queue, "send", send)
    wanted = asked(2 * queues.SENDERS * queues.LOOKS * 10)
    queue.send_looks(wanted)
    assert {look for body in sent for look in looks_in(body, "")} == set(wanted)
    assert len(sent) * queues.LOOKS == len(wanted)


def test_after_a_request_that_fails_no_more_are_begun_than_a_few(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def send(bodies: Sequence[str]) -> None:
        begun.append(len(bodies))
        raise QueueError("it is full")

    monkeypatch.setattr(queue, "send", send)
    with pytest.raises(QueueError, match="it is full"):
        queue.send_looks(asked(50_000))
    assert 1 <= len(begun) <= 10 * queues.SENDERS < 500


def test_no_looks_are_no_message(queue: Queue) -> None:
    queue.send_looks([])
    assert bodies(queue) == []


def test_the_longest_keys_fit_into_their_requests(queue: Queue) -> None:
    longest = asked(200, "😀" * 250)  # JSON makes twelve bytes of each four
    queue.send_looks(longest)
    assert set(looks(queue)) == set(longest)


def test_a_request_has_at_most_ten_messages_and_256_kilobytes() -> None:
    def split(*sizes: int) -> list[list[int]]:
        return [[len(body) for body in r] for r in queues._requests("x" * size for size in sizes)]

    kib = 1024
    assert split() == []
    assert split(*[1] * 21) == [[1] * 10, [1] * 10, [1]]
    assert split(256 * kib, 1) == [[256 * kib], [1]]
    assert split(100 * kib, 100 * kib, 56 * kib, 1) == [[100 * kib, 100 * kib, 56 * kib], [1]]


def stubbed(queue: Queue) -> Stubber:
    return Stubber(queue._client)


def reply(sent: list[str], failed: list[str]) -> dict[str, Any]:
    return {
        "Successful": [{"Id": n, "MessageId": n, "MD5OfMessageBody": ""} for n in sent],
        "Failed": [
            {"Id": n, "SenderFault": False, "Code": "InternalError", "Message": "later"}
            for n in failed
        ],
    }


@pytest.mark.usefixtures("impatient")
def test_what_sqs_did_not_take_is_sent_again_and_nothing_else(queue: Queue) -> None:
    first = [{"Id": n, "MessageBody": body} for n, body in (("0", "a"), ("1", "b"), ("2", "c"))]
    with stubbed(queue) as stub:
        stub.add_response(
            "send_message_batch",
            reply(["0"], ["1", "2"]),
            {"QueueUrl": queue.url, "Entries": first},
        )
        stub.add_response(
            "send_message_batch",
            reply(["1", "2"], []),
            {"QueueUrl": queue.url, "Entries": first[1:]},
        )
        queue.send(["a", "b", "c"])
        stub.assert_no_pending_responses()


@pytest.mark.usefixtures("impatient")
def test_what_sqs_never_takes_is_an_error(queue: Queue) -> None:
    with stubbed(queue) as stub:
        for _ in range(5):
            stub.add_response("send_message_batch", reply([], ["0"]))
        with pytest.raises(QueueError, match=r"took 0 messages of 1: later; try again"):
            queue.send(["a"])
        stub.assert_no_pending_responses()


def test_dead_letters_go_back_to_their_queue(queue: Queue, dead: Queue) -> None:
    dead.send([str(n) for n in range(10)])
    dead.send([str(n) for n in range(10, 13)])
    done: list[tuple[int, int]] = []
    assert redrive(dead, queue, lambda *progress: done.append(progress)) == 13
    assert sorted(map(int, bodies(queue))) == list(range(13))
    assert bodies(dead) == []
    assert done[-1] == (13, 13)
    assert redrive(dead, queue) == 0


def test_a_message_that_fails_again_at_once_is_not_moved_for_ever(dead: Queue) -> None:
    dead.send([str(n) for n in range(10)])
    dead.send([str(n) for n in range(10, 15)])
    assert redrive(dead, dead) == 15
    assert dead.depth().waiting == 15


def test_a_dead_letter_that_could_not_be_sent_is_kept(
    dead: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead.send(["a"])
    monkeypatch.setattr(queues, "_MOVING_SECONDS", 0)
    with pytest.raises(QueueError, match="there is no queue"):
        redrive(dead, Queue(URL))
    assert bodies(dead) == ["a"]


def test_depth_tells_what_waits_from_what_is_taken(queue: Queue) -> None:
    queue.send(["a", "b", "c"])
    (taken,) = queue.receive(1)
    assert (queue.depth().waiting, queue.depth().taken) == (2, 1)
    queue.delete([taken])
    assert (queue.depth().waiting, queue.depth().taken) == (2, 0)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDenied", "denied; grant sqs:SendMessage"),
        ("AccessDeniedException", "denied; grant sqs:SendMessage"),
        ("UnrecognizedClientException", "log in to AWS"),
        ("AWS.SimpleQueueService.NonExistentQueue", "there is no queue"),
        ("Odd", r"Odd \(400\) on two lines; check"),
    ],
)
def test_what_sqs_refuses_is_explained_in_one_line(queue: Queue, code: str, says: str) -> None:
    with stubbed(queue) as stub:
        stub.add_client_error("send_message_batch", code, "on two\n lines.", 400)
        with pytest.raises(QueueError, match=says) as caught:
            queue.send(["a"])
    assert queue.url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_region_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(QueueError, match=r"specify a region; check .* AWS_REGION"):
        Queue(URL)

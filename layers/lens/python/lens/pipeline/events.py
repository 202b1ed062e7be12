"""Events: the messages between the stages, and answers to batches of them in SQS's form."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar
from urllib.parse import quote_plus, unquote_plus

from lens.gallery.versions import Look, Version
from lens.storage.contract import is_key

log = logging.getLogger(__name__)
T = TypeVar("T")


class SqsMessage(TypedDict):
    """A message as Lambda gets it, as far as it is read here."""

    messageId: str
    body: str


class SqsEvent(TypedDict):
    """A batch of messages from a queue."""

    Records: list[SqsMessage]


class FailedMessage(TypedDict):
    """The id of a message that is to be delivered again."""

    itemIdentifier: str


class BatchReply(TypedDict):
    """ReportBatchItemFailures: the messages that failed; the others are done."""

    batchItemFailures: list[FailedMessage]


def looks_in(body: str, prefix: str) -> list[Look]:
    """The looks that a message asks for: an S3 notification's, or those that were queued again.

    Keys are relative to the catalog, which lies under `prefix` in its bucket.
    """
    message = json.loads(body)
    if "looks" in message:
        return [
            Look(look["key"], Version(look["sequencer"], int(look["n"])), look["model_id"])
            for look in message["looks"]
        ]
    return [Look(key, Version.of_event(sequencer)) for key, sequencer in _objects(message, prefix)]


def looks_message(looks: Sequence[Look]) -> str:
    """A message that asks for these looks."""
    encoded = [
        {
            "key": look.key,
            "sequencer": look.version.sequencer,
            "n": look.version.n,
            "model_id": look.model_id,
        }
        for look in looks
    ]
    return json.dumps({"looks": encoded})


def keys_in(body: str, prefix: str) -> list[str]:
    """The keys, relative to `prefix`, that an S3 notification is about."""
    return [key for key, _ in _objects(json.loads(body), prefix)]


def s3_notification(event_name: str, key: str, sequencer: str) -> str:
    """A notification in S3's shape, for storage that has no notifications of its own."""
    return json.dumps(
        {
            "Records": [
                {
                    "eventSource": "aws:s3",
                    "eventName": event_name,
                    "s3": {"object": {"key": quote_plus(key), "sequencer": sequencer}},
                }
            ]
        }
    )


def sqs_event(bodies: Sequence[str]) -> SqsEvent:
    """An SQS batch in Lambda's shape."""
    return {"Records": [{"messageId": str(i), "body": body} for i, body in enumerate(bodies)]}


def answer_batch(
    event: SqsEvent, parse: Callable[[str], list[T]], work: Callable[[list[T]], None]
) -> BatchReply:
    """Do the work that a batch of SQS messages asks for, and name the messages that failed.

    All messages are handled together. When that fails, each is handled alone, so that one bad
    message does not send its neighbors to the dead-letter queue. Work must be safe to repeat.
    """
    messages = [(record["messageId"], record["body"]) for record in event["Records"]]
    failed = []
    requests: dict[str, list[T]] = {}
    for message_id, body in messages:
        try:
            requests[message_id] = parse(body)
        except (ValueError, KeyError, TypeError):
            log.exception("message %s cannot be understood: %.200s", message_id, body)
            failed.append(message_id)
    try:
        if wanted := [each for asked in requests.values() for each in asked]:
            work(wanted)
    except Exception:
        log.exception("a batch of %d messages failed; trying each alone", len(requests))
        failed += _one_by_one(requests, work) if len(requests) > 1 else list(requests)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _one_by_one(requests: dict[str, list[T]], work: Callable[[list[T]], None]) -> list[str]:
    failed = []
    for message_id, asked in requests.items():
        try:
            work(asked)
        except Exception:
            log.exception("message %s failed", message_id)
            failed.append(message_id)
    return failed


def _objects(message: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    """(key relative to prefix, sequencer) of every record under the prefix.

    S3's test event has no records; a folder's marker is no key, it ends with a slash.
    """
    found = []
    for record in message.get("Records", []):
        s3_object = record["s3"]["object"]
        key = unquote_plus(s3_object["key"])
        if key.startswith(prefix) and is_key(key.removeprefix(prefix)):
            found.append((key.removeprefix(prefix), s3_object["sequencer"]))
    return found

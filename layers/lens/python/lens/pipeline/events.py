"""Events: the messages between the stages, and answers to batches of them in SQS's form."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NotRequired, TypedDict, TypeVar
from urllib.parse import quote_plus, unquote_plus

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from lens.correlation import current_id, is_id
from lens.gallery.triggers import NONE, Trigger
from lens.gallery.versions import Look, Version
from lens.storage.contract import is_key

log = logging.getLogger(__name__)
T = TypeVar("T")


class MessageAttributes(TypedDict, total=False):
    """What SQS knows of a message, as far as it is read here."""

    ApproximateReceiveCount: str


class SqsMessage(TypedDict):
    """A message as Lambda gets it, as far as it is read here."""

    messageId: str
    body: str
    attributes: NotRequired[MessageAttributes]


class SqsEvent(TypedDict):
    """A batch of messages from a queue."""

    Records: list[SqsMessage]


class FailedMessage(TypedDict):
    """The id of a message that is to be delivered again."""

    itemIdentifier: str


class BatchReply(TypedDict):
    """ReportBatchItemFailures: the messages that failed; the others are done."""

    batchItemFailures: list[FailedMessage]


def _key(key: str) -> str:
    if not is_key(key):
        raise ValueError(f"{key!r} is no key")
    return key


_REQUEST = "x-amz-request-id"
_Sequencer = Annotated[StrictStr, Field(pattern=r"^[0-9A-Fa-f]*$", max_length=64)]


class _Asked(BaseModel):
    """A look in a message of ours."""

    model_config = ConfigDict(extra="ignore")

    key: Annotated[StrictStr, AfterValidator(_key)]
    sequencer: _Sequencer
    n: Annotated[int, Field(strict=True, ge=0, lt=2**31)]
    model_id: StrictStr | None
    waits: StrictStr = ""
    cause: StrictStr = ""
    trigger: Any = None


class _Object(BaseModel):
    """The object that an S3 event is about."""

    key: StrictStr
    sequencer: Annotated[_Sequencer, Field(min_length=1)]


class _S3(BaseModel):
    object: _Object


class _Record(BaseModel):
    """`event_time` and `response` say when and by which request of S3 it came about: what is odd
    in them costs no look."""

    s3: _S3
    event_time: Any = Field(None, alias="eventTime")
    response: Any = Field(None, alias="responseElements")

    @property
    def trigger(self) -> Trigger:
        """The upload: whoever sent it saw this id in S3's reply."""
        told = self.response if isinstance(self.response, Mapping) else {}
        return Trigger(_id(told.get(_REQUEST)), _seconds(self.event_time))


class _Message(BaseModel):
    """A message of a stage's queue: ours, S3's notification, or the test that S3 sends first."""

    looks: list[_Asked] | None = None
    records: list[_Record] | None = Field(None, alias="Records")
    event: str | None = Field(None, alias="Event")

    @classmethod
    def of(cls, body: str) -> _Message:
        """ValueError for a message that asks for nothing that is known: it must not vanish."""
        message = cls.model_validate_json(body)
        asks = bool(message.looks) + bool(message.records)
        if asks > 1 or (asks == 0 and message.event != "s3:TestEvent"):
            raise ValueError("it asks for nothing that is known: either looks or records of S3")
        return message


def looks_in(body: str, prefix: str) -> list[Look]:
    """The looks that a message asks for: an S3 notification's, or those that were queued again.

    Keys are relative to the catalog, which lies under `prefix` in its bucket. ValueError for any
    other message.
    """
    message = _Message.of(body)
    if message.looks:
        return [
            Look(
                look.key,
                Version(look.sequencer, look.n),
                look.model_id,
                look.waits,
                look.cause,
                _trigger(look.trigger),
            )
            for look in message.looks
        ]
    return [
        Look(key, Version.of_event(record.s3.object.sequencer), trigger=record.trigger)
        for key, record in _objects(message, prefix)
    ]


def looks_message(looks: Sequence[Look]) -> str:
    """A message that asks for these looks. Those that no upload set off belong to what asks."""
    encoded = [
        {
            "key": look.key,
            "sequencer": look.version.sequencer,
            "n": look.version.n,
            "model_id": look.model_id,
            "waits": look.waits,
            "cause": look.cause,
            "trigger": [look.trigger.id or current_id(), look.trigger.at],
        }
        for look in looks
    ]
    return json.dumps({"looks": encoded})


def keys_in(body: str, prefix: str) -> list[str]:
    """The keys, relative to `prefix`, that an S3 notification is about; ValueError as above."""
    message = _Message.of(body)
    if message.looks:
        raise ValueError("looks are asked for, where S3's notifications are understood")
    return [key for key, _ in _objects(message, prefix)]


def s3_notification(event_name: str, key: str, sequencer: str, trigger: Trigger = NONE) -> str:
    """A notification in S3's shape, for storage that has no notifications of its own."""
    record = {
        "eventSource": "aws:s3",
        "eventName": event_name,
        "s3": {"object": {"key": quote_plus(key), "sequencer": sequencer}},
    }
    if trigger.id:
        record["responseElements"] = {_REQUEST: trigger.id}
    if trigger.at:
        record["eventTime"] = datetime.fromtimestamp(trigger.at, UTC).isoformat()
    return json.dumps({"Records": [record]})


def sqs_event(bodies: Sequence[str], receives: int = 1) -> SqsEvent:
    """An SQS batch in Lambda's shape, each message received for so manyth a time."""
    attributes: MessageAttributes = {"ApproximateReceiveCount": str(receives)}
    return {
        "Records": [
            {"messageId": str(i), "body": body, "attributes": attributes}
            for i, body in enumerate(bodies)
        ]
    }


def receive_count(message: SqsMessage) -> int:
    """How often a message was received, this time included."""
    return int(message.get("attributes", {}).get("ApproximateReceiveCount", 1))


def answer_batch(
    event: SqsEvent, parse: Callable[[SqsMessage], list[T]], work: Callable[[list[T]], None]
) -> BatchReply:
    """Do the work that a batch of SQS messages asks for, and name the messages that failed.

    All messages are handled together. When that fails, each is handled alone, so that one bad
    message does not send its neighbors to the dead-letter queue. Work must be safe to repeat.
    """
    failed = []
    requests: dict[str, list[T]] = {}
    for message in event["Records"]:
        try:
            # Two messages of one name are both done.
            requests.setdefault(message["messageId"], []).extend(parse(message))
        except Exception:  # whatever ails it, its neighbors are well
            log.exception(
                "message %s cannot be understood: %.200s", message["messageId"], message["body"]
            )
            failed.append(message["messageId"])
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


def _objects(message: _Message, prefix: str) -> list[tuple[str, _Record]]:
    """(key relative to prefix, record) of every record under the prefix.

    S3's test event has no records. What is about nothing of ours is done, and told: a folder's
    marker, which ends with a slash, or what lies elsewhere.
    """
    found = []
    for record in message.records or ():
        key = unquote_plus(record.s3.object.key, errors="strict")
        if key.startswith(prefix) and is_key(key.removeprefix(prefix)):
            found.append((key.removeprefix(prefix), record))
        else:
            log.warning("%r is nothing to look at: it names no object under %r", key, prefix)
    return found


def _trigger(told: object) -> Trigger:
    """A message's own [id, seconds]; earlier releases sent none."""
    if not isinstance(told, list) or len(told) != 2:
        return NONE
    at = told[1]
    return Trigger(_id(told[0]), float(at) if isinstance(at, int | float) and at > 0 else 0.0)


def _id(told: object) -> str:
    return told if isinstance(told, str) and is_id(told) else ""


def _seconds(told: object) -> float:
    """A time as S3 writes it, in seconds since the epoch."""
    if not isinstance(told, str):
        return 0.0
    try:
        return datetime.fromisoformat(told).timestamp()
    except ValueError:
        return 0.0

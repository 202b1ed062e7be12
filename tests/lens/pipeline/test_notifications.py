"""Tests of notifications.py: whether a bucket still tells the queue of every change (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from lens.errors import StorageError
from lens.pipeline.notifications import EVENTS, lost_events
from lens.pipeline.queues import Queue
from tests.support.s3_bucket import BUCKET, s3_bucket
from tests.support.sqs_queues import REGION, make_queue

CATALOG = f"s3://{BUCKET}/catalog/"
ARN = f"arn:aws:sqs:{REGION}:123456789012:"


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    with s3_bucket(monkeypatch):
        make_queue(monkeypatch, "theirs")
        yield make_queue(monkeypatch)


def _told(events: list[str], queue: str = "looks", **rules: str) -> dict[str, Any]:
    filters = [{"Name": name, "Value": value} for name, value in rules.items()]
    told = {"QueueArn": ARN + queue, "Events": events}
    return {**told, "Filter": {"Key": {"FilterRules": filters}}} if filters else told


def _put(*told: dict[str, Any]) -> None:
    s3: Any = boto3.client("s3", region_name=REGION)
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": list(told)}
    )


def test_a_bucket_as_it_was_deployed_loses_nothing(queue: Queue) -> None:
    _put(*(_told([event], prefix="catalog/") for event in EVENTS))
    assert lost_events(CATALOG, queue.url) == []
    assert lost_events(f"s3://{BUCKET}/catalog", queue.url) == []


def test_of_a_list_that_somebody_replaced_all_is_lost(queue: Queue) -> None:
    _put(_told(["s3:ObjectCreated:*"], "theirs", prefix="logs/"))
    assert lost_events(CATALOG, queue.url) == list(EVENTS)
    _put()
    assert lost_events(CATALOG, queue.url) == list(EVENTS)


@pytest.mark.parametrize(
    "instead",
    [
        _told(["s3:ObjectRemoved:*"], "theirs", prefix="catalog/"),
        _told(["s3:ObjectRemoved:*"], prefix="catalog/shirts/"),
        _told(["s3:ObjectRemoved:*"], prefix="catalog/", suffix=".jpg"),
        _told(["s3:ObjectRemoved:Delete"], prefix="catalog/"),
    ],
)
def test_what_covers_less_than_all_photos_counts_as_lost(
    queue: Queue, instead: dict[str, Any]
) -> None:
    others = [_told([event], prefix="catalog/") for event in EVENTS if "Removed" not in event]
    _put(*others, instead)
    assert lost_events(CATALOG, queue.url) == ["s3:ObjectRemoved:*"]


def test_a_notification_of_the_whole_bucket_covers_the_catalog(queue: Queue) -> None:
    _put(_told(list(EVENTS)))
    assert lost_events(CATALOG, queue.url) == []


def test_a_bucket_that_cannot_be_asked_is_one_line(queue: Queue) -> None:
    with pytest.raises(StorageError, match="cannot ask nowhere for its notifications"):
        lost_events("s3://nowhere/catalog", queue.url)

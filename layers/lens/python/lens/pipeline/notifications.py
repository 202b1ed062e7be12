"""The notifications: whether the catalog's bucket still tells the queue of every change.

A bucket has one list of them, and whoever writes it replaces it: a program, a template, a click.
What is lost of ours is found by reconciliation alone from then on, up to an hour late.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lens import aws
from lens.errors import StorageError

# What a stack asks for (cdk/embedding.py): an upload, a deletion, and a rule that lets objects end.
EVENTS = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*")
GRANT = "s3:GetBucketNotification"


def lost_events(catalog: str, queue_url: str) -> list[str]:
    """The events of the catalog, s3://bucket/prefix, that its bucket no longer sends to this queue.
    StorageError where the bucket may not be asked."""
    bucket, _, prefix = catalog.removeprefix("s3://").partition("/")
    with aws.explained(f"ask {bucket} for its notifications", StorageError, grant=GRANT):
        told = aws.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    queue = queue_url.rpartition("/")[2]
    there = {
        event
        for each in told.get("QueueConfigurations", [])
        if each["QueueArn"].endswith(f":{queue}") and _covers(each, prefix.strip("/") + "/")
        for event in each["Events"]
    }
    return [event for event in EVENTS if event not in there]


def _covers(configuration: dict[str, Any], prefix: str) -> bool:
    """Whether it is of all objects under this prefix."""
    return all(
        each["Name"].lower() == "prefix" and prefix.startswith(each["Value"])
        for each in _rules(configuration)
    )


def _rules(configuration: dict[str, Any]) -> Iterator[dict[str, str]]:
    yield from configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])

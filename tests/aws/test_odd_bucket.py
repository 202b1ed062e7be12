"""An odd bucket: photos that are archived or refused wait and cost themselves, and notifications
that somebody replaced are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lens.pipeline.notifications import EVENTS
from tests.aws.shop import Shop, eventually, garment
from tests.aws.test_maintenance import losing_events

pytestmark = pytest.mark.aws


@contextmanager
def refusing(shop: Shop, key: str) -> Iterator[None]:
    """Let the bucket's policy refuse this photo to everybody within the block."""
    client, bucket = shop.aws("s3"), shop.deployment.outputs["CatalogBucket"]
    before = client.get_bucket_policy(Bucket=bucket)["Policy"]
    policy = json.loads(before)
    policy["Statement"].append(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/catalog/{key}",
        }
    )
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        yield
    finally:
        client.put_bucket_policy(Bucket=bucket, Policy=before)


def _status(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shop.lens("status", "--json"))
    return found


def test_archived_and_refused_photos_wait_and_are_read_once_they_can_be(shop: Shop) -> None:
    client, bucket = shop.aws("s3"), shop.deployment.outputs["CatalogBucket"]
    keys = {"odd/archived.jpg", "odd/refused.jpg"}
    with refusing(shop, "odd/refused.jpg"):
        client.put_object(
            Bucket=bucket,
            Key="catalog/odd/archived.jpg",
            Body=garment(401),
            StorageClass="GLACIER",
        )
        shop.put("odd/refused.jpg", garment(402))
        shop.put("odd/plain.jpg", garment(403))
        eventually(lambda: shop.shows(garment(403), "odd/plain.jpg"))
        eventually(lambda: keys <= set(_status(shop)["waiting"]))
        waiting = _status(shop)["waiting"]
        assert "archived" in waiting["odd/archived.jpg"]["reason"]
        assert "denied" in waiting["odd/refused.jpg"]["reason"]
        assert not keys & shop.found()
    # Their owner mends both; in the first two hours each reconciliation tries again.
    shop.put("odd/archived.jpg", garment(401))
    shop.invoke("Reconcile")
    eventually(lambda: shop.shows(garment(402), "odd/refused.jpg"))
    eventually(lambda: shop.shows(garment(401), "odd/archived.jpg"))
    assert not keys & set(_status(shop)["waiting"])


def test_notifications_that_somebody_replaced_are_told(shop: Shop) -> None:
    assert _status(shop)["lost_events"] == []
    with losing_events(shop):
        assert _status(shop)["lost_events"] == list(EVENTS)
        assert "no longer tells of s3:ObjectCreated:*" in shop.lens("status")
        shop.invoke("Reconcile")
        eventually(lambda: 3.0 in _published(shop))  # earlier runs have told figures too
    shop.invoke("Reconcile")
    eventually(lambda: _published(shop)[-1:] == [0.0])


def _published(shop: Shop) -> list[float]:
    """The figures of reconcile's log, as CloudWatch reads them; the role may ask the bucket."""
    name = shop.deployment.outputs["ReconcileFunction"]
    function = shop.aws("lambda").get_function_configuration(FunctionName=name)
    reply = shop.aws("logs").filter_log_events(
        logGroupName=function["LoggingConfig"]["LogGroup"], filterPattern=""
    )
    figures = []
    for event in reply["events"]:
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(line, dict) and "LostNotifications" in line:
            figures += line["LostNotifications"]
    return figures

"""Tests of bucket_events.py: what else an existing bucket tells of its photos."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from cdk.bucket_events import refuse_overlap
from cdk.config import Config, ConfigError
from cdk.deployed import Deployed

HERE = Config(catalog_bucket="photos")
ARN = "arn:aws:sqs:us-east-1:123456789012:"
OURS = Deployed({"EmbedQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/ours-Q"})


def _told(prefix: str, event: str, queue: str = "thumbnailer", suffix: str = "") -> dict[str, Any]:
    rules = [{"Name": "prefix", "Value": prefix}] if prefix else []
    rules += [{"Name": "suffix", "Value": suffix}] if suffix else []
    there: dict[str, Any] = {"Id": "shop", "QueueArn": ARN + queue, "Events": [event]}
    return {**there, "Filter": {"Key": {"FilterRules": rules}}} if rules else there


def _asked(*told: dict[str, Any], config: Config = HERE, deployed: Deployed | None = None) -> None:
    with mock_aws():
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client: Any = boto3.client
        s3 = client("s3", region_name="us-east-1", **keys)
        sqs = client("sqs", region_name="us-east-1", **keys)
        s3.create_bucket(Bucket="photos")
        for each in told:
            sqs.create_queue(QueueName=each["QueueArn"].rpartition(":")[2])
        s3.put_bucket_notification_configuration(
            Bucket="photos", NotificationConfiguration={"QueueConfigurations": list(told)}
        )
        refuse_overlap(s3, config, deployed or Deployed())


@pytest.mark.parametrize(
    "told",
    [
        _told("", "s3:ObjectCreated:*"),
        _told("catalog/", "s3:ObjectCreated:Put"),
        _told("cat", "s3:ObjectRemoved:*"),
        _told("catalog/shirts/", "s3:ObjectRemoved:Delete"),
        _told("catalog/", "s3:ObjectCreated:*", suffix=".png"),
    ],
)
def test_what_s3_would_refuse_is_told_before_the_deployment(told: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        _asked(told)
    message = str(caught.value)
    assert f"already tells {ARN}thumbnailer" in message
    assert told["Events"][0] in message and "EventBridge" in message and "(shop:" in message


@pytest.mark.parametrize(
    "told",
    [
        _told("logs/", "s3:ObjectCreated:*"),
        _told("catalogue", "s3:ObjectCreated:*"),
        _told("catalog/", "s3:ObjectTagging:*"),
    ],
)
def test_other_prefixes_and_other_events_are_left_alone(told: dict[str, Any]) -> None:
    _asked(told)


def test_what_this_stack_has_set_itself_is_its_own() -> None:
    ours = _told("catalog/", "s3:ObjectCreated:*", "ours-Q")
    _asked(ours, deployed=OURS)
    with pytest.raises(ConfigError, match="ours-Q"):
        _asked(ours)


def test_a_bucket_of_the_stacks_own_is_not_asked() -> None:
    _asked(_told("", "s3:ObjectCreated:*"), config=Config())

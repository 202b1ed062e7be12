"""Tests of event_queue.py, and of its queues in embedding.py and indexing.py."""

from __future__ import annotations

import pytest

from tests.cdk.synthesis import Parts

pytestmark = pytest.mark.slow

EVENT_QUEUES = [
    ("EmbeddingFeed", "embed"),
    ("IndexingSegments", "build_index"),
    ("IndexingHeads", "compact"),
]


def _notifications(parts: Parts, bucket: str) -> set[tuple[str, str, str]]:
    """(event, prefix, queue) of each notification of a bucket."""
    found = set()
    (resource,) = parts.named("Custom::S3BucketNotifications", f"Storage{bucket}").values()
    for each in resource["Properties"]["NotificationConfiguration"]["QueueConfigurations"]:
        (rule,) = each["Filter"]["Key"]["FilterRules"]
        assert rule["Name"] == "prefix"
        queue = each["QueueArn"]["Fn::GetAtt"][0]
        found |= {
            (event, rule["Value"], queue.rstrip("0123456789ABCDEF")) for event in each["Events"]
        }
    return found


def test_every_change_of_a_photo_reaches_embed_and_no_thumbnail_does(parts: Parts) -> None:
    assert _notifications(parts, "Catalog") == {
        ("s3:ObjectCreated:*", "catalog/", "EmbeddingFeedQueue"),
        ("s3:ObjectRemoved:*", "catalog/", "EmbeddingFeedQueue"),
        ("s3:LifecycleExpiration:*", "catalog/", "EmbeddingFeedQueue"),
    }


def test_segments_reach_build_index_and_heads_reach_compact(parts: Parts) -> None:
    assert _notifications(parts, "Artifacts") == {
        ("s3:ObjectCreated:*", "segments/", "IndexingSegmentsQueue"),
        ("s3:ObjectCreated:*", "products/", "IndexingSegmentsQueue"),
        ("s3:ObjectCreated:*", "heads/", "IndexingHeadsQueue"),
    }


@pytest.mark.parametrize(("name", "function"), EVENT_QUEUES)
def test_a_failed_message_is_tried_again_and_then_kept_aside(
    parts: Parts, name: str, function: str
) -> None:
    queue = parts.one("AWS::SQS::Queue", f"{name}Queue")
    assert queue["VisibilityTimeout"] >= 6 * parts.function(function)["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    target = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert target.startswith(f"{name}DeadLetters")
    for each in (queue, parts.one("AWS::SQS::Queue", f"{name}DeadLetters")):
        assert each["MessageRetentionPeriod"] == 14 * 86_400
        assert each["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize(("name", "function"), EVENT_QUEUES)
def test_batches_fail_in_part_and_never_run_without_bound(
    parts: Parts, name: str, function: str
) -> None:
    source = parts.one("AWS::Lambda::EventSourceMapping", name)
    assert source["FunctionName"]["Ref"].startswith(f"Functions{function.replace('_', '')}")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"]["MaximumConcurrency"] == (20 if function == "embed" else 2)


def test_commits_do_not_wait_for_compaction(parts: Parts) -> None:
    committing = parts.one("AWS::Lambda::EventSourceMapping", "IndexingSegments")
    compacting = parts.one("AWS::Lambda::EventSourceMapping", "IndexingHeads")
    assert committing["FunctionName"] != compacting["FunctionName"]
    assert committing["EventSourceArn"] != compacting["EventSourceArn"]

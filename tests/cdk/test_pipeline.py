"""Tests of how events travel: buckets, queues, functions, and what happens before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cdk.synthesis import Parts, several, synthesize

pytestmark = pytest.mark.slow

FEEDS = [
    ("EmbeddingFeed", "embed"),
    ("IndexingSegments", "build_index"),
    ("IndexingHeads", "compact"),
]
FUNCTIONS = (
    "embed",
    "build_index",
    "compact",
    "reconcile",
    "collect",
    "setup",
    "promote",
    "search",
)


def _notifications(parts: Parts, bucket: str) -> set[tuple[str, str, str]]:
    """(event, prefix, queue) of everything a bucket tells."""
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
        ("s3:ObjectCreated:*", "heads/", "IndexingHeadsQueue"),
    }


@pytest.mark.parametrize(("feed", "function"), FEEDS)
def test_a_failed_message_is_tried_again_and_then_kept_aside(
    parts: Parts, feed: str, function: str
) -> None:
    queue = parts.one("AWS::SQS::Queue", f"{feed}Queue")
    assert queue["VisibilityTimeout"] >= 6 * parts.function(function)["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    target = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert target.startswith(f"{feed}DeadLetters")
    for each in (queue, parts.one("AWS::SQS::Queue", f"{feed}DeadLetters")):
        assert each["MessageRetentionPeriod"] == 14 * 86_400
        assert each["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize(("feed", "function"), FEEDS)
def test_batches_fail_in_part_and_never_run_without_bound(
    parts: Parts, feed: str, function: str
) -> None:
    source = parts.one("AWS::Lambda::EventSourceMapping", feed)
    assert source["FunctionName"]["Ref"].startswith(f"Functions{function.replace('_', '')}")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"]["MaximumConcurrency"] == (20 if function == "embed" else 2)


def test_the_first_model_is_there_before_any_event_is_answered(parts: Parts) -> None:
    (trigger,) = parts.named("Custom::Trigger", "SetupRun")
    for source in parts.named("AWS::Lambda::EventSourceMapping").values():
        assert trigger in source["DependsOn"]


def test_commits_do_not_wait_for_compaction(parts: Parts) -> None:
    committing = parts.one("AWS::Lambda::EventSourceMapping", "IndexingSegments")
    compacting = parts.one("AWS::Lambda::EventSourceMapping", "IndexingHeads")
    assert committing["FunctionName"] != compacting["FunctionName"]
    assert committing["EventSourceArn"] != compacting["EventSourceArn"]


@pytest.mark.parametrize(("function", "rate"), [("reconcile", "1 hour"), ("collect", "1 day")])
def test_upkeep_runs_on_a_schedule(parts: Parts, function: str, rate: str) -> None:
    rule = parts.one("AWS::Events::Rule", f"Upkeep{function}")
    assert rule["ScheduleExpression"] == f"rate({rate})"
    assert rule["Targets"][0]["Arn"]["Fn::GetAtt"][0].startswith(f"Functions{function}")


def test_zip_functions_have_both_layers_and_images_their_command(parts: Parts) -> None:
    layers = [{"Ref": name} for name in parts.named("AWS::Lambda::LayerVersion", "Functions")]
    assert len(layers) == 2
    for name in ("build_index", "compact", "reconcile", "collect", "setup", "promote"):
        function = parts.function(name)
        assert function["Layers"] == layers
        assert function["Handler"] == f"lambdas.{name}.function.handler"
        assert function["Runtime"] == "python3.13"
    for name in ("embed", "search"):
        function = parts.function(name)
        assert function["PackageType"] == "Image"
        assert function["ImageConfig"]["Command"] == [f"lambdas.{name}.function.handler"]


def test_a_large_gallery_s_files_have_the_room_that_they_are_given(
    root: Path, tmp_path: Path
) -> None:
    parts = Parts(synthesize(root, tmp_path, search_disk=1_536, upkeep_disk=1_024))
    given = {
        name: parts.function(name).get("EphemeralStorage", {}).get("Size")
        for name in ("search", "compact", "reconcile", "collect", "promote", "embed", "build_index")
    }
    upkeep = dict.fromkeys(("compact", "reconcile", "collect", "promote"), 1_024)
    assert given == {"search": 1_536, **upkeep, "embed": None, "build_index": None}


def test_every_function_says_where_its_part_of_the_world_is(parts: Parts) -> None:
    told: dict[str, set[str]] = {}
    for name in FUNCTIONS:
        variables: dict[str, Any] = parts.function(name)["Environment"]["Variables"]
        told[name] = {each.removeprefix("LENS_").lower() for each in variables}
    assert told == {
        "embed": {"catalog", "artifacts", "thumbs"},
        "build_index": {"artifacts", "embed_queue"},
        "compact": {"artifacts"},
        "reconcile": {"catalog", "artifacts", "embed_queue"}
        | {"powertools_metrics_namespace", "powertools_service_name"},
        "collect": {"artifacts", "thumbs", "embed_queue"},
        "setup": {"artifacts", "model_folder"},
        "promote": {"catalog", "artifacts", "embed_queue"},
        "search": {"catalog", "artifacts", "thumbs", "image_url", "thumb_url"}
        | {"max_photo_bytes", "cors_origins"},
    }


def test_every_log_ends_and_is_json(parts: Parts) -> None:
    for log in parts.named("AWS::Logs::LogGroup").values():
        assert log["Properties"]["RetentionInDays"] == 30
        assert log["DeletionPolicy"] == "Delete"
    for name in FUNCTIONS:
        assert parts.function(name)["LoggingConfig"]["LogFormat"] == "JSON"
        assert several(parts.function(name)["LoggingConfig"]["LogGroup"])[0]["Ref"]

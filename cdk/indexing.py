"""Indexing: build_index commits new segments; compact, a function of its own, compacts commits."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import Config
from cdk.event_queue import EventQueue
from cdk.functions import Functions, FunctionSpec
from cdk.permissions import (
    COMMITS,
    GALLERY,
    HEADS,
    MODELS,
    PRODUCTS,
    SEGMENTS,
    SNAPSHOTS,
    read,
    write,
)
from cdk.storage import Storage

# The lowest that SQS allows. A commit is a compare-and-swap: more writers only make more conflicts.
_CONCURRENCY = 2


class Indexing(Construct):
    """`segment_events` start commits; `head_events` (new commits) start compaction, and so does a
    schedule, because a deleted photo is to leave a quiet shop's files too."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        functions: Functions,
        storage: Storage,
        embed_queue: sqs.IQueue,
        after: Construct,
    ) -> None:
        """`embed_queue` takes the keys of photos that must be embedded again."""
        super().__init__(scope, name)
        artifacts = storage.artifacts
        timeout = Duration.seconds(config.index_timeout)
        self.segment_events = EventQueue(self, "Segments", config=config, timeout=timeout)
        for prefix in (SEGMENTS, PRODUCTS):
            self.segment_events.subscribe_to(artifacts, prefix, [s3.EventType.OBJECT_CREATED])
        self.build_index = functions.zipped(
            FunctionSpec(
                "build_index",
                environment={
                    "LENS_ARTIFACTS": storage.artifacts_location,
                    "LENS_EMBED_QUEUE": embed_queue.queue_url,
                },
                policy=[*read(artifacts, *GALLERY), write(artifacts, HEADS, COMMITS)],
                memory=config.index_memory,
                timeout=timeout,
            )
        )
        embed_queue.grant_send_messages(self.build_index)
        self.segment_events.invoke(
            self.build_index,
            batch=100,
            window=Duration.seconds(1),
            concurrency=_CONCURRENCY,
            after=after,
        )

        timeout = Duration.seconds(config.upkeep_timeout)
        self.head_events = EventQueue(self, "Heads", config=config, timeout=timeout)
        self.head_events.subscribe_to(artifacts, HEADS, [s3.EventType.OBJECT_CREATED])
        self.compact = functions.zipped(
            FunctionSpec(
                "compact",
                environment={"LENS_ARTIFACTS": storage.artifacts_location},
                policy=[
                    *read(artifacts, *GALLERY, MODELS),  # MODELS: the calibration
                    write(artifacts, HEADS, COMMITS, SEGMENTS, SNAPSHOTS),
                ],
                memory=config.upkeep_memory,
                disk=config.upkeep_disk,
                timeout=timeout,
            )
        )
        # A longer window than the others': one run compacts for all commits of the batch.
        self.head_events.invoke(
            self.compact,
            batch=1_000,
            window=Duration.seconds(20),
            concurrency=_CONCURRENCY,
            after=after,
        )
        events.Rule(
            self,
            "compact-schedule",
            schedule=events.Schedule.rate(Duration.hours(config.collect_hours)),
            targets=[
                targets.LambdaFunction(
                    self.compact,
                    event=events.RuleTargetInput.from_object({"aged": True}),
                    retry_attempts=2,
                )
            ],
        )

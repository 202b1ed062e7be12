"""Indexing: segment events to commits, and, out of their way, compaction of what was committed."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import Config
from cdk.event_queue import Feed
from cdk.functions import Functions
from cdk.permissions import COMMITS, GALLERY, HEADS, SEGMENTS, SNAPSHOTS, read, write
from cdk.storage import Storage

# The least that SQS allows. Commits are made by compare-and-swap: more writers only race.
_FEWEST = 2


class Indexing(Construct):
    """`segments` and `heads` are the feeds; an advanced head asks if its tail is too long."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        functions: Functions,
        storage: Storage,
        looks: sqs.IQueue,
        after: Construct,
    ) -> None:
        """`looks` takes the keys that must be looked at again."""
        super().__init__(scope, name)
        artifacts = storage.artifacts
        timeout = Duration.seconds(config.index_timeout)
        self.segments = Feed(self, "Segments", config=config, timeout=timeout)
        self.segments.listen(artifacts, SEGMENTS, [s3.EventType.OBJECT_CREATED])
        self.build_index = functions.zipped(
            "build_index",
            environment={
                "LENS_ARTIFACTS": storage.artifacts_location,
                "LENS_EMBED_QUEUE": looks.queue_url,
            },
            policy=[*read(artifacts, *GALLERY), write(artifacts, HEADS, COMMITS)],
            memory=config.index_memory,
            timeout=timeout,
        )
        looks.grant_send_messages(self.build_index)
        self.segments.answer(
            self.build_index,
            batch=100,
            window=Duration.seconds(1),
            concurrency=_FEWEST,
            after=after,
        )

        timeout = Duration.seconds(config.upkeep_timeout)
        self.heads = Feed(self, "Heads", config=config, timeout=timeout)
        self.heads.listen(artifacts, HEADS, [s3.EventType.OBJECT_CREATED])
        self.compact = functions.zipped(
            "compact",
            environment={"LENS_ARTIFACTS": storage.artifacts_location},
            policy=[
                *read(artifacts, *GALLERY),
                write(artifacts, HEADS, COMMITS, SEGMENTS, SNAPSHOTS),
            ],
            memory=config.upkeep_memory,
            disk=config.upkeep_disk,
            timeout=timeout,
        )
        # A longer window than the others': one look at a head answers for all its advances.
        self.heads.answer(
            self.compact,
            batch=1_000,
            window=Duration.seconds(20),
            concurrency=_FEWEST,
            after=after,
        )

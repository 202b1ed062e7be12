"""Embedding: the catalog's events, and the function that writes segments and thumbnails."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import Config
from cdk.event_queue import EventQueue
from cdk.feed import feed_environment, feed_policy, pictures_environment, pictures_policy
from cdk.functions import Functions, FunctionSpec
from cdk.permissions import (
    CATALOG,
    COMMITS,
    CURRENT,
    FORMATS,
    HEADS,
    LAYOUT,
    MODELS,
    ORIGIN,
    PRODUCTS,
    SEGMENTS,
    SPEEDS,
    list_objects,
    read,
    write,
)
from cdk.storage import Storage


class Embedding(Construct):
    """`photo_events` holds every change under catalog/."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        functions: Functions,
        storage: Storage,
        after: Construct,
    ) -> None:
        super().__init__(scope, name)
        timeout = Duration.seconds(config.embed_timeout)
        self.photo_events = EventQueue(self, "Feed", config=config, timeout=timeout)
        self.photo_events.subscribe_to(
            storage.catalog,
            CATALOG,
            [
                s3.EventType.OBJECT_CREATED,
                s3.EventType.OBJECT_REMOVED,
                s3.EventType.LIFECYCLE_EXPIRATION,
            ],
        )
        self.function = functions.serving(
            FunctionSpec(
                "embed",
                environment={
                    "LENS_CATALOG": storage.catalog_location,
                    "LENS_ARTIFACTS": storage.artifacts_location,
                    "LENS_THUMBS": storage.thumbs_location,
                    # It has memory of its own, and few photos at a time.
                    "LENS_DECODE_APART": "0",
                    "LENS_RECEIVES": str(config.receives),
                    **config.moved,
                    **feed_environment(config),
                    **pictures_environment(config, storage),
                },
                policy=[
                    *read(storage.catalog, CATALOG),
                    *feed_policy(config),
                    *pictures_policy(config, storage),
                    write(storage.catalog, storage.thumbs),
                    # Segments: a write that got no reply is checked by reading.
                    *read(
                        storage.artifacts,
                        *(CURRENT, FORMATS, HEADS, LAYOUT, MODELS, ORIGIN, PRODUCTS),
                        *(SEGMENTS, SPEEDS),
                    ),
                    list_objects(storage.artifacts, COMMITS),  # whether a head is lost
                    write(storage.artifacts, PRODUCTS, SEGMENTS, SPEEDS),
                ],
                memory=config.embed_memory,
                timeout=timeout,
            )
        )
        self.photo_events.invoke(
            self.function,
            batch=10,
            window=Duration.seconds(1),
            concurrency=config.embed_concurrency,
            after=after,
        )

"""Maintenance: setup, which brings the default model, and reconcile and collect on a schedule."""

from __future__ import annotations

from aws_cdk import Duration, triggers
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import Config
from cdk.feed import feed_environment, feed_policy, pictures_environment, pictures_policy
from cdk.functions import Functions, FunctionSpec
from cdk.permissions import (
    CATALOG,
    COMMITS,
    CONDEMNED,
    CURRENT,
    FORMATS,
    GALLERY,
    HEADS,
    HOLDS,
    LAYOUT,
    LISTINGS,
    MODELS,
    ORIGIN,
    PRODUCTS,
    SEGMENTS,
    SNAPSHOTS,
    delete,
    list_objects,
    notifications,
    read,
    write,
)
from cdk.schedule import Schedule
from cdk.storage import Storage

_MARKS = "collected.json"
_FETCHING = "fetching.json"
METRICS = "ImageLens"


class Setup(Construct):
    """Gives a new stack its first model and an empty gallery; keeps an existing gallery, and
    nominates a newer default model."""

    def __init__(
        self, scope: Construct, name: str, *, config: Config, functions: Functions, storage: Storage
    ) -> None:
        super().__init__(scope, name)
        first = (CURRENT, HEADS, COMMITS, MODELS)
        model = config.model.strip("/")
        self.function = functions.zipped(
            FunctionSpec(
                "setup",
                environment={
                    "LENS_CATALOG": storage.catalog_location,
                    "LENS_ARTIFACTS": storage.artifacts_location,
                    "LENS_MODEL_FOLDER": model,
                },
                policy=[
                    *read(storage.artifacts, *first, FORMATS, ORIGIN),
                    write(storage.artifacts, *first, FORMATS, ORIGIN),
                ],
                memory=config.index_memory,
                timeout=Duration.seconds(120),
                files=(model,),
            )
        )
        self.run = triggers.Trigger(self, "Run", handler=self.function)
        self.run.execute_after(storage.artifacts)


class Maintenance(Construct):
    """`reconcile` repairs the gallery after lost events; `collect` deletes unreachable objects."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        functions: Functions,
        storage: Storage,
        schedule: Schedule,
        embed_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, name)
        artifacts, catalog = storage.artifacts, storage.catalog
        timeout = Duration.seconds(config.upkeep_timeout)
        self.reconcile = functions.zipped(
            FunctionSpec(
                "reconcile",
                environment={
                    "LENS_CATALOG": storage.catalog_location,
                    "LENS_ARTIFACTS": storage.artifacts_location,
                    "LENS_EMBED_QUEUE": embed_queue.queue_url,
                    **({"LENS_LAYOUT": config.layout} if config.layout else {}),
                    **({"LENS_DOMAIN": config.domain} if config.domain else {}),
                    **config.moved,
                    **feed_environment(config),
                    **pictures_environment(config, storage),
                },
                # Of the catalog it needs the listing, the partition file, and whether the product
                # file is another.
                policy=[
                    *read(artifacts, *GALLERY, LAYOUT, HOLDS, ORIGIN, LISTINGS),
                    write(artifacts, FORMATS, LAYOUT, SEGMENTS, HOLDS, ORIGIN, LISTINGS),
                    delete(artifacts, LISTINGS),
                    *read(catalog, CATALOG),
                    notifications(catalog),
                    *feed_policy(config),
                    *pictures_policy(config, storage),
                    *self._fetches(config, storage),
                ],
                memory=config.upkeep_memory,
                disk=config.upkeep_disk,
                timeout=timeout,
            )
        )
        self.collect = functions.zipped(
            FunctionSpec(
                "collect",
                environment={
                    "LENS_ARTIFACTS": storage.artifacts_location,
                    "LENS_THUMBS": storage.thumbs_location,
                    "LENS_EMBED_QUEUE": embed_queue.queue_url,
                },
                policy=[
                    *read(artifacts, *GALLERY, _MARKS, LISTINGS),
                    write(artifacts, _MARKS, CONDEMNED, HEADS, COMMITS, LISTINGS),
                    delete(artifacts, COMMITS, SEGMENTS, SNAPSHOTS, PRODUCTS, LISTINGS),
                    list_objects(catalog, storage.thumbs),
                    delete(catalog, storage.thumbs),
                ],
                memory=config.upkeep_memory,
                disk=config.upkeep_disk,
                timeout=timeout,
            )
        )
        for function, hours in (
            (self.reconcile, config.reconcile_hours),
            (self.collect, config.collect_hours),
        ):
            embed_queue.grant_send_messages(function)
            functions.let_call_itself(function)
            schedule.every(self, hours, function)
        if config.feed:  # a bucket of ours sends an event of its file; what lies elsewhere does not
            events.Rule(
                self,
                "feed-schedule",
                schedule=events.Schedule.rate(Duration.minutes(config.feed_minutes)),
                targets=[
                    targets.LambdaFunction(
                        self.reconcile,
                        event=events.RuleTargetInput.from_object({"only": "feed"}),
                        retry_attempts=0,
                    )
                ],
            )

    @staticmethod
    def _fetches(config: Config, storage: Storage) -> list[iam.PolicyStatement]:
        """Reconcile is the one that fetches pictures, and removes them."""
        if not config.feed_pictures:
            return []
        return [
            *read(storage.artifacts, _FETCHING),
            write(storage.artifacts, _FETCHING),
            write(storage.catalog, storage.pictures),
            delete(storage.catalog, storage.pictures),
        ]

"""The stack: connects the constructs, in the pipeline's order, and lists its outputs."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from cdk.assets import Assets
from cdk.config import Config
from cdk.embedding import Embedding
from cdk.functions import Functions
from cdk.indexing import Indexing
from cdk.keys import grant_keys
from cdk.maintenance import Maintenance, Setup
from cdk.nag import acknowledge
from cdk.observability import Observability
from cdk.rollout import Rollout
from cdk.schedule import Schedule
from cdk.search import Search
from cdk.spending import Spending
from cdk.storage import Storage
from cdk.training import Training
from cdk.website import Website


class ImageLensStack(Stack):
    """Everything; one stack, because a bucket and the function it triggers cannot be in two."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        assets: Assets,
        web_acl_arn: str = "",
        **properties: Any,
    ) -> None:
        """`web_acl_arn` is that of a firewall that is made beside this stack (cdk/firewall.py)."""
        super().__init__(scope, config.stack, description="Image Lens: visual search", **properties)
        storage = Storage(self, "Storage", config=config)
        functions = Functions(self, "Functions", config=config, assets=assets)
        setup = Setup(self, "Setup", config=config, functions=functions, storage=storage)
        embedding = Embedding(
            self,
            "Embedding",
            config=config,
            functions=functions,
            storage=storage,
            after=setup.run,
        )
        embed_queue = embedding.photo_events.queue
        indexing = Indexing(
            self,
            "Indexing",
            config=config,
            functions=functions,
            storage=storage,
            embed_queue=embed_queue,
            after=setup.run,
        )
        schedule = Schedule(self, "Schedule", config=config)
        Maintenance(
            self,
            "Upkeep",
            config=config,
            functions=functions,
            storage=storage,
            schedule=schedule,
            embed_queue=embed_queue,
        )
        training = Training(
            self,
            "Training",
            config=config,
            assets=assets,
            functions=functions,
            storage=storage,
            schedule=schedule,
            embed_queue=embed_queue,
        )
        search = Search(
            self,
            "Search",
            config=config,
            functions=functions,
            storage=storage,
            after=setup.run,
        )
        website = Website(
            self,
            "Website",
            config=config,
            assets=assets,
            functions=functions,
            storage=storage,
            search=search,
            web_acl_arn=web_acl_arn,
        )
        event_queues = {
            "embed": embedding.photo_events,
            "segments": indexing.segment_events,
            "heads": indexing.head_events,
        }
        observability = Observability(
            self,
            "Observability",
            config=config,
            functions=functions.all,
            event_queues=event_queues,
            schedule=schedule,
            search=search,
            training=training,
            website=website,
        )
        if config.search_rollout != "at_once":
            Rollout(
                self,
                "Rollout",
                config=config,
                functions=functions,
                search=search,
                alarms=observability.alarms.found,
            )
        grant_keys(self, config, functions.all)
        Spending(self, "Spending", config=config, functions=functions.all)
        acknowledge(self, config, storage)
        self._add_outputs(
            PageUrl=website.address,
            DistributionId=website.distribution.distribution_id,
            ApiUrl=f"https://{search.domain}/api",
            CatalogBucket=storage.catalog.bucket_name,
            CatalogLocation=storage.catalog_location,
            ArtifactsLocation=storage.artifacts_location,
            ThumbsLocation=storage.thumbs_location,
            SearchLog=search.function.log_group.log_group_name,
            SiteBucket=storage.site.bucket_name,
            **({"FeedLocation": config.feed} if config.feed else {}),
            **({"PicturesLocation": storage.thumbs_location} if config.feed_pictures else {}),
            TrainingMachine=training.machine.state_machine_arn,
            FailedRunsUrl=schedule.failed.queue_url,
            **{
                f"{name.capitalize()}QueueUrl": each.queue.queue_url
                for name, each in event_queues.items()
            },
            **{
                f"{name.capitalize()}DeadLettersUrl": each.dead_letters.queue_url
                for name, each in event_queues.items()
            },
            **{
                f"{name.title().replace('_', '')}Function": each.function_name
                for name, each in functions.all.items()
            },
        )

    def _add_outputs(self, **outputs: str) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

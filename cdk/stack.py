"""The stack: wires the constructs, in the pipeline's order, and tells what came of it."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from cdk.assets import Assets
from cdk.config import Config
from cdk.embedding import Embedding
from cdk.functions import Functions
from cdk.indexing import Indexing
from cdk.maintenance import Setup, Upkeep
from cdk.nag import acknowledge
from cdk.observability import Observability
from cdk.search import Search
from cdk.storage import Storage
from cdk.training import Training
from cdk.website import Website


class ImageLensStack(Stack):
    """Everything; one stack, because a bucket and the function it triggers cannot be in two."""

    def __init__(
        self, scope: Construct, *, config: Config, assets: Assets, **properties: Any
    ) -> None:
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
        looks = embedding.feed.queue
        indexing = Indexing(
            self,
            "Indexing",
            config=config,
            functions=functions,
            storage=storage,
            looks=looks,
            after=setup.run,
        )
        Upkeep(self, "Upkeep", config=config, functions=functions, storage=storage, looks=looks)
        training = Training(
            self,
            "Training",
            config=config,
            assets=assets,
            functions=functions,
            storage=storage,
            looks=looks,
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
        )
        feeds = {"embed": embedding.feed, "segments": indexing.segments, "heads": indexing.heads}
        Observability(
            self,
            "Observability",
            config=config,
            functions=functions.all,
            feeds=feeds,
            search=search,
        )
        acknowledge(self, config, storage)
        self._tell(
            PageUrl=website.address,
            ApiUrl=f"https://{search.domain}/api",
            CatalogBucket=storage.catalog.bucket_name,
            CatalogLocation=storage.catalog_location,
            ArtifactsLocation=storage.artifacts_location,
            ThumbsLocation=storage.thumbs_location,
            SiteBucket=storage.site.bucket_name,
            TrainingMachine=training.machine.state_machine_arn,
            **{
                f"{name.capitalize()}QueueUrl": each.queue.queue_url for name, each in feeds.items()
            },
            **{
                f"{name.capitalize()}DeadLettersUrl": each.dead_letters.queue_url
                for name, each in feeds.items()
            },
            **{
                f"{name.title().replace('_', '')}Function": each.function_name
                for name, each in functions.all.items()
            },
        )

    def _tell(self, **outputs: str) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

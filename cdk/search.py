"""Search: the function that answers searches, and the HTTP API in front of it."""

from __future__ import annotations

import json

from aws_cdk import Aws, Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from cdk.access import OriginKeys, authorizer_of
from cdk.config import Config
from cdk.feed import pictures_environment, pictures_policy
from cdk.functions import Functions, FunctionSpec
from cdk.permissions import CATALOG, GALLERY, HOLDS, MODELS, SPEEDS, read, write
from cdk.storage import Storage

# Without the caller's IP address: it is personal data, and throttling does not need it.
_ACCESS_LOG = {
    "time": "$context.requestTime",
    "requestId": "$context.requestId",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


# They embed photos.
_EXPENSIVE = ("POST /api/search-image", "POST /api/why")


class Search(Construct):
    """`domain` is the API's host name; every path is under /api/. `target` is what it invokes;
    `alias` leads to the `version` that answers, where there is one."""

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
        self.keys = OriginKeys(self, "OriginKeys", config=config)
        self.version: lambda_.Version | None = None
        self.alias: lambda_.Alias | None = None
        self.function = functions.serving(
            FunctionSpec(
                "search",
                environment={
                    "LENS_CATALOG": storage.catalog_location,
                    "LENS_ARTIFACTS": storage.artifacts_location,
                    "LENS_THUMBS": storage.thumbs_location,
                    # It has memory of its own, and few photos at a time.
                    "LENS_DECODE_APART": "0",
                    "LENS_IMAGE_URL": "/catalog/",
                    "LENS_THUMB_URL": f"/{storage.thumbs}",
                    "LENS_MAX_PHOTO_BYTES": str(config.max_photo_bytes),
                    "LENS_CORS_ORIGINS": config.cors_origins,
                    **({"LENS_SEARCH_LOG": "-"} if config.search_log else {}),
                    **_shop(config),
                    **({"LENS_FETCH_URLS": "1"} if config.fetch_urls else {}),
                    **_pictures(config, storage),
                    **({"LENS_ORIGIN_KEYS": ",".join(self.keys.known)} if config.closed else {}),
                },
                policy=[
                    *read(storage.artifacts, *GALLERY, MODELS, SPEEDS, HOLDS),
                    write(storage.artifacts, SPEEDS),
                    # A missing thumbnail is made again from its photo.
                    *read(storage.catalog, CATALOG, storage.thumbs),
                    *pictures_policy(config, storage),
                    write(storage.catalog, storage.thumbs),
                ],
                memory=config.search_memory,
                disk=config.search_disk,
                timeout=Duration.seconds(config.search_timeout),
                log_days=config.search_log,
            ),
            reserved=config.search_reserved or None,
            snap_start=config.packaging == "snapstart",
        )
        self.api = apigateway.HttpApi(
            self,
            "Api",
            api_name=config.stack,
            description="Image Lens: photograph a garment, find the product",
            create_default_stage=False,
        )
        self.target = self._target(config, after)
        routes = self._add_routes(config, functions, self.target)
        log = functions.log_group(self, "AccessLog")
        stage = apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=config.throttle_rate,
                throttling_burst_limit=config.throttle_burst,
                detailed_metrics_enabled=False,
            ),
            route_settings={
                route: {
                    "ThrottlingRateLimit": config.throttle_search_rate,
                    "ThrottlingBurstLimit": config.throttle_search_burst,
                }
                for route in _EXPENSIVE
            },
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.log_group_arn,
                format=json.dumps(_ACCESS_LOG),
            ),
        )
        stage.node.add_dependency(*routes)  # which its settings name
        self.domain = f"{self.api.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"

    def _add_routes(
        self, config: Config, functions: Functions, target: lambda_.IFunction
    ) -> list[apigateway.HttpRoute]:
        """Everything under /api/, and for itself what has a limit, or no caller to know."""
        integration = HttpLambdaIntegration("Search", target)
        authorizer = authorizer_of(self, config, functions)
        wanted = [*_EXPENSIVE, "ANY /api/{proxy+}"]
        # Who watches over the API has no key, and a browser asks without one what it may send.
        free = ["GET /api/health", "OPTIONS /api/{proxy+}"] if authorizer else []
        routes: list[apigateway.HttpRoute] = []
        for route in (*wanted, *free):
            method, _, path = route.partition(" ")
            routes += self.api.add_routes(
                path=path,
                methods=[apigateway.HttpMethod[method]],
                integration=integration,
                authorizer=authorizer if route in wanted else None,
            )
        return routes

    def _target(self, config: Config, after: Construct) -> lambda_.IFunction:
        """What the API invokes: the function, or an alias of a version of it.

        Functions that are kept warm or resumed from a snapshot need a version, and so does one that
        is tried before it takes over. Lambda starts the first two when the version is published, so
        that comes after there is a model to load.
        """
        if not (
            config.search_provisioned
            or config.packaging == "snapstart"
            or config.search_rollout != "at_once"
        ):
            return self.function
        self.version = self.function.current_version
        self.version.node.add_dependency(after)
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name="live",
            version=self.version,
            provisioned_concurrent_executions=config.search_provisioned or None,
        )
        return self.alias


def _shop(config: Config) -> dict[str, str]:
    """What the product file leaves unsaid."""
    told = {"LENS_SHOP_URL": config.shop_url, "LENS_SHOP_CURRENCY": config.shop_currency}
    return {name: value for name, value in told.items() if value}


def _pictures(config: Config, storage: Storage) -> dict[str, str]:
    """Where CloudFront has fetched pictures, too."""
    told = pictures_environment(config, storage)
    return {**told, "LENS_PICTURE_URL": f"/{storage.pictures}"} if told else {}

"""The rollout: how a new version of search takes over, and what takes it back."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import Config
from cdk.functions import Functions, FunctionSpec
from cdk.search import Search

# Alarms that take a new version back while it has its first share of the requests.
WATCHED = ("ApiErrors", "search-rollout")
_MINUTES = 2


class Rollout(Construct):
    """CodeDeploy moves the alias of search: first `check` asks the new version for one search, then
    it gets all requests, or a tenth for ten minutes. Where the check or an alarm fails, the
    deployment fails and the version before stays."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        functions: Functions,
        search: Search,
        alarms: Mapping[str, cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, name)
        if search.alias is None or search.version is None:
            return
        version = search.version.function_arn
        canary = config.search_rollout == "canary"
        self.check = functions.zipped(
            FunctionSpec(
                "rollout",
                environment={
                    "LENS_SEARCH_VERSION": version,
                    **({"LENS_ORIGIN_KEYS": search.keys.sent} if config.closed else {}),
                },
                policy=[
                    iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[version])
                ],
                memory=512,
                timeout=Duration.minutes(_MINUTES),
            )
        )
        configs = codedeploy.LambdaDeploymentConfig
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            alias=search.alias,
            deployment_config=configs.CANARY_10_PERCENT_10_MINUTES
            if canary
            else configs.ALL_AT_ONCE,
            pre_hook=self.check,
            alarms=[alarms[each] for each in WATCHED] if canary else None,
        )
        # The check that runs must be the new one, which knows the new version, and CodeDeploy must
        # be allowed to call it.
        search.alias.node.add_dependency(self.check, group)

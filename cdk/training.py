"""Training: the state machine that trains on SageMaker and makes a better model live."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.assets import Assets
from cdk.config import Config
from cdk.costs import Shop
from cdk.feed import feed_environment, feed_policy, pictures_environment, pictures_policy
from cdk.functions import Functions, FunctionSpec
from cdk.permissions import (
    CATALOG,
    COMMITS,
    CURRENT,
    GALLERY,
    HEADS,
    HOLDS,
    LAYOUT,
    LISTINGS,
    MODELS,
    ORIGIN,
    TRAINING,
    delete,
    read,
    write,
)
from cdk.prices import Prices
from cdk.reembedding import reembedding
from cdk.schedule import Schedule
from cdk.storage import Storage
from cdk.training_job import TrainingJob
from cdk.training_machine import definition

# Step Functions makes this EventBridge rule itself, and learns through it when a job has ended.
_RULE = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"


class Training(Construct):
    """`machine`; its input may give `data` (s3://...), `preset`, `seed`, `recipe` (fields of it, as
    text) and `margin`: by how much a new model's Recall@1 must be better than the live one's. `job`
    names an earlier execution whose checkpoints are gone on with; with `promote` its model is
    promoted, and nothing is trained.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        assets: Assets,
        functions: Functions,
        storage: Storage,
        schedule: Schedule,
        embed_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, name)
        self._config = config
        self._job = TrainingJob(self, config=config, assets=assets, storage=storage)
        artifacts, catalog = storage.artifacts, storage.catalog
        self.promote = functions.zipped(
            FunctionSpec(
                "promote",
                environment={
                    "LENS_CATALOG": storage.catalog_location,
                    "LENS_ARTIFACTS": storage.artifacts_location,
                    "LENS_EMBED_QUEUE": embed_queue.queue_url,
                    **config.moved,
                    **feed_environment(config),
                    **pictures_environment(config, storage),
                },
                policy=[
                    *read(artifacts, *GALLERY, LAYOUT, MODELS, TRAINING, HOLDS, ORIGIN, LISTINGS),
                    write(artifacts, CURRENT, HEADS, COMMITS, HOLDS, LISTINGS),
                    delete(artifacts, LISTINGS),
                    *read(catalog, CATALOG),
                    *feed_policy(config),
                    *pictures_policy(config, storage),
                ],
                memory=config.upkeep_memory,
                disk=config.upkeep_disk,
                timeout=Duration.seconds(config.upkeep_timeout),
            )
        )
        embed_queue.grant_send_messages(self.promote)
        # A default model that `setup` nominated has no state machine that waits for it.
        schedule.every(self, config.reconcile_hours, self.promote)
        role = iam.Role(
            self, "MachineRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com")
        )
        for statement in self._machine_policy():
            role.add_to_policy(statement)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            role=role,
            removal_policy=RemovalPolicy.DESTROY,
            definition_body=sfn.DefinitionBody.from_string(
                Stack.of(self).to_json_string(self._definition(storage))
            ),
        )

    def _definition(self, storage: Storage) -> dict[str, Any]:
        config = self._config
        data = config.training_data or f"{storage.artifacts_location}/{TRAINING}data/"
        return definition(
            defaults={"data": data, "preset": "inshop", "seed": "0", "margin": "0"},
            fixed=self._job.fixed(),
            attempts=self._job.attempts(),
            job=self._job.state(),
            hours=config.training_hours,
            promote=self.promote.function_arn,
            patience=config.promote_patience,
            seconds=config.promote_seconds,
            limit=self._limit(),
        )

    def _limit(self) -> dict[str, float]:
        """What a promotion may cost, and what a photo of it does; empty without a limit."""
        if not self._config.promote_dollars:
            return {}
        photos = 1_000_000
        found = reembedding(photos, self._config, Shop(), Prices())
        return {
            "dollars": self._config.promote_dollars,
            "dollars_each": found.dollars / photos,
            "hours_each": found.hours / photos,
        }

    def _machine_policy(self) -> list[iam.PolicyStatement]:
        """What Step Functions' integrations with Lambda and SageMaker need, and no more."""
        stack = Stack.of(self)
        jobs = stack.format_arn(service="sagemaker", resource="training-job", resource_name="*")
        rule = stack.format_arn(service="events", resource="rule", resource_name=_RULE)
        return [
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[self.promote.function_arn]
            ),
            # A job has its execution's name, which is not known here.
            iam.PolicyStatement(
                actions=[
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopTrainingJob",
                    "sagemaker:AddTags",
                ],
                resources=[jobs],
            ),
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self._job.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
                resources=[rule],
            ),
        ]

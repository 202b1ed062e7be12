"""The training job: the requests to SageMaker, and the role that the program runs under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, CfnMapping, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from cdk.assets import Assets
from cdk.config import Config, ConfigError
from cdk.containers import REPOSITORY, read_containers
from cdk.permissions import CURRENT, FORMATS, HEADS, MODELS, TRAINING, list_objects, read, write
from cdk.spending import STACK_TAG, STAGE_TAG
from cdk.storage import Storage

_HOUR = 3_600


@dataclass(frozen=True)
class Attempt:
    """An instance type that a job is tried on."""

    number: int
    instance: str
    spot: bool
    image: str
    stopping: dict[str, int]

    def __str__(self) -> str:
        return f"{self.instance} {'at spot prices' if self.spot else 'on demand'}"

    def state(self) -> dict[str, Any]:
        """What the state `Train` reads of it."""
        return {
            "number": str(self.number),
            "instance": self.instance,
            "spot": self.spot,
            "image": self.image,
            "stopping": self.stopping,
        }


class TrainingJob:
    """`role` is the program's; `state` starts a job and waits until it has ended.

    CDK's own task supports neither spot instances nor checkpoints: the state is written out here.
    """

    def __init__(
        self, scope: Construct, *, config: Config, assets: Assets, storage: Storage
    ) -> None:
        """`scope` gets the program's bundle, the table of container registries and the role."""
        self._scope = scope
        self._config = config
        self._storage = storage
        self._program = s3_assets.Asset(scope, "Program", path=str(assets.bundle))
        self._metrics = assets.metric_definitions()
        self._registry = self._registry_account()
        self.role = self._role()

    def attempts(self) -> list[Attempt]:
        """What is tried, in this order: each instance type at spot prices, then each on demand."""
        config = self._config
        at_spot, on_demand = [], []
        for instance in config.training_instances:
            at_spot.append((instance, True))
            on_demand.append((instance, False))
        if not config.training_spot:
            tried = on_demand
        else:
            tried = at_spot + (on_demand if config.training_on_demand else [])
        return [
            Attempt(
                number=number,
                instance=instance,
                spot=spot,
                image=config.training_image or self._container(instance),
                stopping=self._stopping(spot=spot),
            )
            for number, (instance, spot) in enumerate(tried, 1)
        ]

    def fixed(self) -> dict[str, Any]:
        """The hyperparameters that every attempt has, and that no recipe changes."""
        return {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": self._program.s3_object_url,
            "sagemaker_region": Aws.REGION,
            # One process for every GPU, by torchrun.
            "sagemaker_torch_distributed_enabled": "true",
            "artifacts": self._storage.artifacts_location,
            "job.$": "$.job",
            "preset.$": "$.preset",
            "seed.$": "States.Format('{}', $.seed)",
            "gate-margin.$": "States.Format('{}', $.margin)",
        }

    def state(self) -> dict[str, Any]:
        """The state in Amazon States Language, for the attempt in `$.try.chosen`. What was trained
        by an earlier attempt, or an earlier execution of the same `$.job`, is gone on with."""
        config, place = self._config, f"{self._storage.artifacts_location}/{TRAINING}"
        chosen = "$.try.chosen"
        return {
            "Type": "Task",
            "Resource": f"arn:{Aws.PARTITION}:states:::sagemaker:createTrainingJob.sync",
            "Parameters": {
                # SageMaker takes a name once.
                "TrainingJobName.$": (
                    f"States.Format('{{}}-{{}}', $$.Execution.Name, {chosen}.number)"
                ),
                "RoleArn": self.role.role_arn,
                "AlgorithmSpecification": {
                    "TrainingImage.$": f"{chosen}.image",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": self._metrics,
                },
                "HyperParameters.$": "States.JsonMerge($.recipe, $.fixed, false)",
                "InputDataConfig": [
                    {
                        "ChannelName": "training",
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": "S3Prefix",
                                "S3DataDistributionType": "FullyReplicated",
                                "S3Uri.$": "$.data",
                            }
                        },
                    }
                ],
                "OutputDataConfig": {"S3OutputPath": f"{place}output/"},
                "ResourceConfig": {
                    "InstanceType.$": f"{chosen}.instance",
                    "InstanceCount": config.training_count,
                    "VolumeSizeInGB": config.training_volume_gb,
                },
                "StoppingCondition.$": f"{chosen}.stopping",
                "EnableManagedSpotTraining.$": f"{chosen}.spot",
                "CheckpointConfig": {
                    "S3Uri.$": f"States.Format('{place}{{}}/checkpoints/', $.job)",
                    "LocalPath": "/opt/ml/checkpoints",
                },
                "Tags": [
                    {"Key": STACK_TAG, "Value": config.stack},
                    {"Key": STAGE_TAG, "Value": "training"},
                ],
            },
        }

    def _stopping(self, *, spot: bool) -> dict[str, int]:
        config = self._config
        running = {"MaxRuntimeInSeconds": config.training_hours * _HOUR}
        waiting = {"MaxWaitTimeInSeconds": config.training_wait_hours * _HOUR}
        return {**running, **waiting} if spot else running

    def _registry_account(self) -> str:
        """The account whose registry holds AWS's containers: each region has its own."""
        accounts, region = read_containers().accounts, Stack.of(self._scope).region
        if not Token.is_unresolved(region) and region not in accounts:
            if self._config.training_image:
                return Aws.ACCOUNT_ID
            raise ConfigError(
                f"AWS's training container is not known in {region}: name one with training_image, "
                "or run `make containers` for a newer list"
            )
        mapping = CfnMapping(
            self._scope,
            "Registries",
            mapping={region: {"account": account} for region, account in accounts.items()},
            lazy=True,
        )
        return mapping.find_in_map(region, "account")

    def _container(self, instance: str) -> str:
        tag = read_containers().tag(instance)
        return f"{self._registry}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/{REPOSITORY}:{tag}"

    def _role(self) -> iam.Role:
        """For the program: it reads its photos and its bundle, and writes models and reports."""
        role = iam.Role(
            self._scope, "JobRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")
        )
        artifacts, program = self._storage.artifacts, self._program
        partition, region, account = Aws.PARTITION, Aws.REGION, Aws.ACCOUNT_ID
        statements = [
            *read(artifacts, CURRENT, FORMATS, MODELS, TRAINING),
            list_objects(artifacts, HEADS),  # whether current.json is lost
            write(artifacts, MODELS, TRAINING),
            iam.PolicyStatement(
                actions=["s3:GetObject"],
                resources=[program.bucket.arn_for_objects(program.s3_object_key)],
            ),
            iam.PolicyStatement(
                actions=[
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                resources=[
                    f"arn:{partition}:logs:{region}:{account}:log-group:/aws/sagemaker/TrainingJobs:*"
                ],
            ),
            # The container is in AWS's registry. Reading it needs a token, and the permission for
            # that takes no resource.
            iam.PolicyStatement(
                actions=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                resources=[
                    f"arn:{partition}:ecr:{region}:{self._registry}:repository/{REPOSITORY}"
                ],
            ),
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={
                    "StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}
                },
            ),
        ]
        if self._config.training_data:
            bucket, _, prefix = self._config.training_data.removeprefix("s3://").partition("/")
            arn, folder = f"arn:{partition}:s3:::{bucket}", prefix.strip("/")
            path = f"{folder}/*" if folder else "*"
            statements += [
                iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"{arn}/{path}"]),
                iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[arn],
                    conditions={"StringLike": {"s3:prefix": [path]}},
                ),
            ]
        for statement in statements:
            role.add_to_policy(statement)
        return role

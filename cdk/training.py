"""Training: the state machine that trains on SageMaker and makes a better model live."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, CfnMapping, Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.assets import Assets
from cdk.config import Config, ConfigError
from cdk.containers import REPOSITORY, read_containers
from cdk.functions import Functions
from cdk.permissions import (
    CATALOG,
    COMMITS,
    CURRENT,
    GALLERY,
    HEADS,
    MODELS,
    TRAINING,
    read,
    write,
)
from cdk.storage import Storage

# EventBridge tells Step Functions of a job's end through a rule that Step Functions makes itself.
_RULE = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
_HOUR = 3_600


class Training(Construct):
    """`machine`; its input may name `data` (s3://...), `preset`, `seed` and
    `margin`, the Recall@1 that a new model has to be better by.

    CDK's own task has neither spot instances nor checkpoints, so the state is written as it is,
    and its role gets exactly what the service integration asks for.
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
        looks: sqs.IQueue,
    ) -> None:
        super().__init__(scope, name)
        self._config = config
        self._storage = storage
        self._program = s3_assets.Asset(self, "Program", path=str(assets.bundle))
        self._metrics = assets.metric_definitions()
        self._registry = self._registry_account()
        self.job_role = self._job_role()
        artifacts, catalog = storage.artifacts, storage.catalog
        self.promote = functions.zipped(
            "promote",
            environment={
                "LENS_CATALOG": storage.catalog_location,
                "LENS_ARTIFACTS": storage.artifacts_location,
                "LENS_EMBED_QUEUE": looks.queue_url,
            },
            policy=[
                *read(artifacts, *GALLERY, MODELS, TRAINING),
                write(artifacts, CURRENT, HEADS, COMMITS),
                *read(catalog, CATALOG),
            ],
            memory=config.upkeep_memory,
            disk=config.upkeep_disk,
            timeout=Duration.seconds(config.upkeep_timeout),
        )
        looks.grant_send_messages(self.promote)
        role = iam.Role(
            self, "MachineRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com")
        )
        for statement in self._machine_policy():
            role.add_to_policy(statement)
        data = config.training_data or f"{storage.artifacts_location}/{TRAINING}data/"
        defaults = {"data": data, "preset": "inshop", "seed": "0", "margin": "0"}
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            role=role,
            removal_policy=RemovalPolicy.DESTROY,
            definition_body=sfn.DefinitionBody.from_chainable(
                sfn.CustomState(
                    self,
                    "Defaults",
                    state_json={
                        "Type": "Pass",
                        "Parameters": {"defaults": defaults, "given.$": "$"},
                        "ResultPath": "$",
                    },
                )
                .next(
                    sfn.CustomState(
                        self,
                        "Merge",
                        state_json={
                            "Type": "Pass",
                            "Parameters": {
                                "input.$": "States.JsonMerge($.defaults, $.given, false)"
                            },
                            "OutputPath": "$.input",
                        },
                    )
                )
                .next(sfn.CustomState(self, "Train", state_json=self._train()))
                .next(self._promotion())
            ),
        )

    def _promotion(self) -> sfn.IChainable:
        """Ask the promote function until the new model is live, or the live one is to stay."""
        step = sfn.CustomState(
            self,
            "Promote",
            state_json={
                "Type": "Task",
                "Resource": f"arn:{Aws.PARTITION}:states:::lambda:invoke",
                "Parameters": {
                    "FunctionName": self.promote.function_arn,
                    "Payload": {"job.$": "$$.Execution.Name"},
                },
                "ResultSelector": {"answer.$": "$.Payload"},
                "ResultPath": "$.promotion",
                "Retry": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": 30,
                        "MaxAttempts": 5,
                        "BackoffRate": 2,
                    }
                ],
            },
        )
        status = "$.promotion.answer.status"
        again = sfn.Wait(
            self,
            "Fill",
            time=sfn.WaitTime.duration(Duration.seconds(self._config.promote_seconds)),
        )
        return step.next(
            sfn.Choice(self, "Better?")
            .when(sfn.Condition.string_equals(status, "filling"), again.next(step))
            .when(sfn.Condition.string_equals(status, "live"), sfn.Succeed(self, "Live"))
            .otherwise(sfn.Succeed(self, "Kept"))
        )

    def _train(self) -> dict[str, Any]:
        """The state that starts a job and waits for its end; the execution names the job."""
        config, place = self._config, f"{self._storage.artifacts_location}/{TRAINING}"
        stopping = {"MaxRuntimeInSeconds": config.training_hours * _HOUR}
        if config.training_spot:
            stopping["MaxWaitTimeInSeconds"] = config.training_wait_hours * _HOUR
        return {
            "Type": "Task",
            "Resource": f"arn:{Aws.PARTITION}:states:::sagemaker:createTrainingJob.sync",
            "Parameters": {
                "TrainingJobName.$": "$$.Execution.Name",
                "RoleArn": self.job_role.role_arn,
                "AlgorithmSpecification": {
                    "TrainingImage": config.training_image or self._container(),
                    "TrainingInputMode": "File",
                    "MetricDefinitions": self._metrics,
                },
                "HyperParameters": {
                    "sagemaker_program": "train.py",
                    "sagemaker_submit_directory": self._program.s3_object_url,
                    "sagemaker_region": Aws.REGION,
                    # One process for every GPU, by torchrun.
                    "sagemaker_torch_distributed_enabled": "true",
                    "artifacts": self._storage.artifacts_location,
                    "job.$": "$$.Execution.Name",
                    "preset.$": "$.preset",
                    "seed.$": "States.Format('{}', $.seed)",
                    "gate-margin.$": "States.Format('{}', $.margin)",
                },
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
                    "InstanceType": config.training_instance,
                    "InstanceCount": config.training_count,
                    "VolumeSizeInGB": config.training_volume_gb,
                },
                "StoppingCondition": stopping,
                "EnableManagedSpotTraining": config.training_spot,
                "CheckpointConfig": {
                    "S3Uri.$": f"States.Format('{place}{{}}/checkpoints/', $$.Execution.Name)",
                    "LocalPath": "/opt/ml/checkpoints",
                },
                "Tags": [{"Key": "stack", "Value": config.stack}],
            },
            "ResultPath": "$.job",
        }

    def _registry_account(self) -> str:
        """Whose registry has AWS's containers: it differs by region."""
        accounts, region = read_containers().accounts, Stack.of(self).region
        if not Token.is_unresolved(region) and region not in accounts:
            if self._config.training_image:
                return Aws.ACCOUNT_ID
            raise ConfigError(
                f"AWS's training container is not known in {region}: name one with training_image, "
                "or run `make containers` for a newer list"
            )
        mapping = CfnMapping(
            self,
            "Registries",
            mapping={region: {"account": account} for region, account in accounts.items()},
            lazy=True,
        )
        return mapping.find_in_map(region, "account")

    def _container(self) -> str:
        tag = read_containers().tag(self._config.training_instance)
        return f"{self._registry}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/{REPOSITORY}:{tag}"

    def _job_role(self) -> iam.Role:
        """What the program may do: read its photos and itself, write models and training/."""
        role = iam.Role(self, "JobRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        artifacts, program = self._storage.artifacts, self._program
        partition, region, account = Aws.PARTITION, Aws.REGION, Aws.ACCOUNT_ID
        statements = [
            *read(artifacts, CURRENT, MODELS, TRAINING),
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
            # The container is AWS's; reading it needs a token, which is not of any resource.
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

    def _machine_policy(self) -> list[iam.PolicyStatement]:
        stack = Stack.of(self)
        jobs = stack.format_arn(service="sagemaker", resource="training-job", resource_name="*")
        rule = stack.format_arn(service="events", resource="rule", resource_name=_RULE)
        return [
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[self.promote.function_arn]
            ),
            # An execution names its job, so the name is not known here.
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
                resources=[self.job_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
                resources=[rule],
            ),
        ]

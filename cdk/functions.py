"""The functions: makes every Lambda function of the stack, each with its own role and log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Annotations, Duration, RemovalPolicy, Size
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.assets import Assets
from cdk.config import Config
from cdk.keys import key_of
from cdk.tracing import traces_environment, traces_policy

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


@dataclass(frozen=True)
class FunctionSpec:
    """What a function of `lambdas/{package}` needs and may do; memory and disk (/tmp) in MB.

    `files` are more paths of the checkout that its zip contains.
    """

    package: str
    environment: Mapping[str, str]
    policy: Sequence[iam.PolicyStatement]
    memory: int
    timeout: Duration
    disk: int = 512
    files: tuple[str, ...] = ()
    log_days: int = 0  # that its log is kept; 0: as all logs are

    @property
    def handler(self) -> str:
        """What Lambda calls."""
        return f"lambdas.{self.package}.function.handler"


class Functions(Construct):
    """Makes functions, from zips with two layers each or from the image; `all` lists them."""

    def __init__(self, scope: Construct, name: str, *, config: Config, assets: Assets) -> None:
        super().__init__(scope, name)
        self._config = config
        self._assets = assets
        self._runtime = lambda_.Runtime(
            f"python{config.python_version}", lambda_.RuntimeFamily.PYTHON, supports_snap_start=True
        )
        self._architecture = (
            lambda_.Architecture.ARM_64
            if config.architecture == "arm64"
            else lambda_.Architecture.X86_64
        )
        lens = self._layer("Lens", assets.layer(), "the domain")
        gallery = assets.vendor_layer("gallery")
        self._layers = [lens, self._layer("Gallery", gallery, "numpy, faiss, pydantic, boto3")]
        if config.packaging != "image":
            serving = assets.vendor_layer("serving")
            self._serving = [lens, self._layer("Serving", serving, "onnxruntime, pillow, fastapi")]
        self.all: dict[str, lambda_.Function] = {}

    def zipped(self, spec: FunctionSpec) -> lambda_.Function:
        """A function that is deployed as a zip."""
        function = lambda_.Function(
            self,
            spec.package,
            code=self._assets.function(spec.package, *spec.files),
            handler=spec.handler,
            runtime=self._runtime,
            layers=self._layers,
            **self._common_properties(spec),
        )
        self.all[spec.package] = function
        return function

    def serving(
        self, spec: FunctionSpec, *, reserved: int | None = None, snap_start: bool = False
    ) -> lambda_.Function:
        """A function that runs the model, packaged as the setting `packaging` says.

        `reserved` is its reserved concurrency. With `snap_start`, which only a zip can have, its
        versions start from a snapshot.
        """
        common = self._common_properties(spec)
        function: lambda_.Function
        if self._config.packaging == "image":
            function = lambda_.DockerImageFunction(
                self,
                spec.package,
                code=self._image(spec.handler),
                reserved_concurrent_executions=reserved,
                **common,
            )
        else:
            function = lambda_.Function(
                self,
                spec.package,
                code=self._assets.function(spec.package, *spec.files),
                handler=spec.handler,
                runtime=self._runtime,
                layers=self._serving,
                reserved_concurrent_executions=reserved,
                snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
                **common,
            )
            # The warning: SnapStart works for versions only. Search is called by an alias of one.
            Annotations.of(function).acknowledge_warning(
                "@aws-cdk/aws-lambda:snapStartRequirePublish"
            )
        self.all[spec.package] = function
        return function

    def let_call_itself(self, function: lambda_.Function) -> None:
        """Let it ask for one more call of itself. That is a policy of its own, because a role's
        first one must be there before its function is."""
        call = iam.PolicyStatement(
            actions=["lambda:InvokeFunction"], resources=[function.function_arn]
        )
        assert function.role is not None
        iam.Policy(self, f"{function.node.id}-again", statements=[call], roles=[function.role])

    def log_group(self, scope: Construct, name: str = "Log", days: int = 0) -> logs.LogGroup:
        """A log that keeps its events for so many days, or as the configuration says, and is
        deleted with the stack."""
        return logs.LogGroup(
            scope,
            name,
            retention=_RETENTION[days or self._config.log_days],
            encryption_key=key_of(self, self._config),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _common_properties(self, spec: FunctionSpec) -> dict[str, Any]:
        scope = Construct(self, f"{spec.package}-")
        log = self.log_group(scope, days=spec.log_days)
        # Not AWS's managed policy for logs: it allows writing to every log of the account.
        role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log.grant_write(role)
        for statement in (*spec.policy, *traces_policy(self._config)):
            role.add_to_policy(statement)
        return {
            "role": role,
            "log_group": log,
            "logging_format": lambda_.LoggingFormat.JSON,
            "architecture": self._architecture,
            "environment": {
                **spec.environment,
                "POWERTOOLS_SERVICE_NAME": self._config.stack,
                **traces_environment(self._config),
            },
            "memory_size": spec.memory,
            "ephemeral_storage_size": Size.mebibytes(spec.disk) if spec.disk > 512 else None,
            "timeout": spec.timeout,
        }

    def _layer(self, name: str, code: lambda_.Code, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            name,
            code=code,
            description=f"Image Lens: {description}",
            compatible_runtimes=[self._runtime],
            compatible_architectures=[self._architecture],
        )

    def _image(self, command: str) -> lambda_.DockerImageCode:
        if not self._config.image:
            return self._assets.image(self._config, command)
        name, _, tag = self._config.image.rpartition(":")
        repository = self.node.try_find_child("Repository") or ecr.Repository.from_repository_name(
            self, "Repository", name
        )
        return lambda_.DockerImageCode.from_ecr(repository, tag_or_digest=tag, cmd=[command])  # type: ignore[arg-type]

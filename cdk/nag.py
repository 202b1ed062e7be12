"""The findings of cdk-nag (rules AwsSolutions) that are accepted, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from cdk.config import Config
from cdk.permissions import (
    CATALOG,
    COMMITS,
    HEADS,
    LISTINGS,
    MODELS,
    PRODUCTS,
    SEGMENTS,
    SNAPSHOTS,
    SPEEDS,
    TRAINING,
)
from cdk.storage import Storage

_RULES = {
    "L1": "the newest Python that all wheels were tested with here; it is a setting",
    "S1": "these buckets hold no secrets; CloudTrail can record access where a shop needs it",
    "APIG4": "the search is public unless the setting authorizer says otherwise; it is throttled",
    "CFR1": "a shop decides in which countries it sells",
    "CFR2": "a WAF costs more than the rest of an idle stack; waf or web_acl_arn adds one",
    "CFR3": "access logs hold shoppers' IP addresses: personal data, and nothing here needs them",
    "CFR4": "the policy of CloudFront's own certificate is fixed; with a domain it is TLS 1.2",
    "SMG4": "the key by which the API knows CloudFront is changed by a setting, both sides at once",
    "SF1": "Step Functions keeps the history of every execution for 90 days",
    "SF2": "an execution has few steps, which take hours: traces would show nothing more",
}
_HERE = "<AWS::Region>:<AWS::AccountId>"
_WILDCARDS = {
    f"arn:<AWS::Partition>:logs:{_HERE}:log-group:/aws/sagemaker/TrainingJobs:*": (
        "SageMaker names the log streams of a job"
    ),
    f"arn:<AWS::Partition>:sagemaker:{_HERE}:training-job/*": "a job has its execution's name",
}
_NO_RESOURCE = (
    "the permissions for a registry token and for metrics take no resource; metrics are restricted "
    "to a namespace"
)
# Functions that CDK itself adds, with roles of its own.
_HELPERS = {
    "BucketNotificationsHandler": "sets a bucket's notifications, for which CDK has no resource",
    "Custom::CDKBucketDeployment": "copies the page into its bucket and clears CloudFront's cache",
}
_LOGS = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_KMS = "CDK's grant of a queue, on this one key; AWS has two actions of each name"
_CODEDEPLOY = (
    "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"
)
_COPIES = (
    *(f"Action::s3:{action}*" for action in ("Abort", "DeleteObject", "GetBucket", "GetObject")),
    "Action::s3:List*",
    "Resource::*",
    "Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*",
)


def acknowledge(stack: Stack, config: Config, storage: Storage) -> None:
    """Accept these findings, so that any other finding fails the synthesis."""
    _record(stack, _RULES)
    _record(stack, {f"IAM5[Resource::{arn}]": why for arn, why in _WILDCARDS.items()})
    prefixes_of_artifacts = (
        *(HEADS, COMMITS, LISTINGS, MODELS, SPEEDS, SEGMENTS, SNAPSHOTS, PRODUCTS),
        TRAINING,
    )
    of_catalog = (CATALOG, storage.thumbs, *([storage.pictures] if config.feed_pictures else []))
    for bucket, prefixes in (
        (storage.artifacts, prefixes_of_artifacts),
        (storage.catalog, of_catalog),
    ):
        _record(
            stack,
            {
                f"IAM5[Resource::{_arn(bucket)}/{prefix}*]": f"{prefix}: names made at run time"
                for prefix in prefixes
            },
        )
    if config.traces:
        _record(
            stack.node.find_child("Functions"),
            {"IAM5[Resource::*]": "X-Ray's permissions to take spans have no resource"},
        )
    if config.emulator:
        _record(stack, {"CFR5": "the emulator is on this machine and speaks plain HTTP"})
    if data := config.training_data.removeprefix("s3://").strip("/"):
        finding = f"IAM5[Resource::arn:<AWS::Partition>:s3:::{data}/*]"
        _record(stack, {finding: "the photos to train on lie under this prefix"})
    for child in stack.node.children:
        for helper, why in _HELPERS.items():
            if child.node.id.startswith(helper):
                site = f"Resource::{_arn(storage.site)}/*"
                _record(child, {f"IAM5[{finding}]": why for finding in (*_COPIES, site)})
                _record(child, {f"IAM4[{_LOGS}]": why})
    _record(
        stack.node.find_child("Schedule").node.find_child("Failed"),
        {"SQS3": "it holds what is left of failed calls; nothing takes them from there"},
    )
    if config.key or config.catalog_key:
        _record(
            stack, {f"IAM5[Action::kms:{each}*]": _KMS for each in ("GenerateDataKey", "ReEncrypt")}
        )
    if config.search_rollout != "at_once":
        check = stack.node.find_child("Functions").node.find_child("rollout")
        versions = f"IAM5[Resource::{_arn(check)}:*]"
        _record(
            stack.node.find_child("Rollout"),
            {
                f"IAM4[{_CODEDEPLOY}]": "AWS keeps what CodeDeploy needs to move an alias",
                versions: "CDK lets CodeDeploy call the check by whatever version",
            },
        )
    if job := stack.node.find_child("Training").node.try_find_child("JobRole"):
        _record(job, {"IAM5[Resource::*]": _NO_RESOURCE})


def _record(construct: IConstruct, findings: Mapping[str, str]) -> None:
    Validations.of(construct).acknowledge(
        *(
            Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
            for rule, reason in findings.items()
        )
    )


def _arn(construct: IConstruct) -> str:
    """The ARN of a resource, or of an existing bucket, as cdk-nag writes it."""
    resource = construct.node.default_child
    if isinstance(resource, CfnElement):
        return f"<{Stack.of(construct).resolve(resource.logical_id)}.Arn>"
    assert isinstance(construct, s3.BucketBase)
    return f"arn:<AWS::Partition>:s3:::{construct.bucket_name}"

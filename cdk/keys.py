"""The keys: KMS keys of the owner's, which encrypt what a stack keeps where settings name them.

Without them AWS's own keys do. A role that may touch what a key encrypts may use that key through
the service that asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aws_cdk import Annotations, Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.config import Config

_OWN, _CATALOGS = "Key", "CatalogKey"
_ALIAS = "image-lens"
# Who encrypts by itself: a bucket's events into a queue, alarms and announcements into the topic.
_SENDERS = ("s3.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com")


def key_of(scope: Construct, config: Config) -> kms.IKey | None:
    """The key of all that this stack makes; None where AWS's own encrypt."""
    if not config.key:
        return None
    stack = Stack.of(scope)
    if found := stack.node.try_find_child(_OWN):
        return cast(kms.IKey, found)
    if config.key != "new":
        return kms.Key.from_key_arn(stack, _OWN, config.key)
    destroy = config.removal == "destroy"
    key = kms.Key(
        stack,
        _OWN,
        alias=f"{_ALIAS}/{config.stack}",
        description=f"Image Lens: all that the stack {config.stack} keeps",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.DESTROY if destroy else RemovalPolicy.RETAIN,
    )
    for statement in _services():
        key.add_to_resource_policy(statement)
    return key


def queue_key_of(scope: Construct, config: Config) -> kms.IKey | None:
    """The same key for a queue in `scope`, by its ARN. CDK would add to the key's policy which
    bucket sends to the queue; but the bucket is made after the key, which encrypts it."""
    key = key_of(scope, config)
    if key is None:
        return None
    Annotations.of(Stack.of(scope)).acknowledge_warning(
        "@aws-cdk/aws-s3-notifications:sqsKMSPermissionsNotAdded"
    )
    return kms.Key.from_key_arn(scope, "QueueKey", key.key_arn)


def catalog_key_of(scope: Construct, config: Config) -> kms.IKey | None:
    """The key of an existing bucket with the photos, or of the one that the stack makes."""
    if not config.catalog_bucket:
        return key_of(scope, config)
    if not config.catalog_key:
        return None
    stack = Stack.of(scope)
    if found := stack.node.try_find_child(_CATALOGS):
        return cast(kms.IKey, found)
    return kms.Key.from_key_arn(stack, _CATALOGS, config.catalog_key)


def grant_keys(stack: Stack, config: Config, functions: Mapping[str, lambda_.Function]) -> None:
    """Let each function, and the training program, read and write what is encrypted."""
    own, catalogs = key_of(stack, config), catalog_key_of(stack, config)
    keys = {key.key_arn: key for key in (own, catalogs) if key}
    if not keys:
        return
    roles = [function.role for function in functions.values()]
    job = stack.node.find_child("Training").node.find_child("JobRole")
    for role in (*roles, cast(iam.IRole, job)):
        assert role is not None  # these functions have roles of their own (functions.py)
        role.add_to_principal_policy(_use(list(keys)))
    # CloudFront's distribution is made after the key: CDK lets it in by the account's name alone.
    Annotations.of(stack).acknowledge_warning(
        "@aws-cdk/aws-cloudfront-origins:wildcardKeyPolicyForOac"
    )


def _use(keys: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=keys,
        conditions={
            "StringEquals": {
                "kms:ViaService": [
                    f"{each}.{Aws.REGION}.{Aws.URL_SUFFIX}" for each in ("s3", "sqs")
                ]
            }
        },
    )


def _services() -> list[iam.PolicyStatement]:
    """What CDK does not say by itself; CloudFront's reads it does."""
    here = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
    return [
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(each) for each in _SENDERS],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        ),
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
            actions=[
                *("kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*"),
                *("kms:GenerateDataKey*", "kms:Describe*"),
            ],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": here}},
        ),
    ]

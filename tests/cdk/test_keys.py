"""Tests of keys.py: what a key of the owner's encrypts, and that every role that needs it may use
it, by IAM's rules (tests/support/policies.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cdk.synthesis import Parts, several, synthesize, text
from tests.support.policies import allows

pytestmark = pytest.mark.slow

ARN = "arn:aws:kms:eu-west-1:123456789012:key/0a-1"
THEIRS = "arn:aws:kms:eu-west-1:123456789012:key/0b-2"
FUNCTIONS = (
    *("embed", "build_index", "compact", "reconcile", "collect", "promote", "setup", "search"),
    "rollout",
)
_HERE = "<AWS::Region>.<AWS::URLSuffix>"
# What S3 and SQS ask KMS for on behalf of whoever calls them.
_NEEDS = {
    "s3:GetObject": ("s3", ["kms:Decrypt"]),
    "s3:PutObject": ("s3", ["kms:GenerateDataKey"]),
    "sqs:ReceiveMessage": ("sqs", ["kms:Decrypt"]),
    "sqs:SendMessage": ("sqs", ["kms:Decrypt", "kms:GenerateDataKey"]),
}


@pytest.fixture(scope="module")
def keyed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Everything that a key may be of, with a key of the stack's."""
    folder = tmp_path_factory.mktemp("keyed")
    mail = {"alarm_email": "me@shop.example"}
    return Parts(synthesize(root, folder, key="new", search_rollout="checked", **mail))


def _key(parts: Parts) -> str:
    ((name, _),) = parts.named("AWS::KMS::Key").items()
    return f"<{name}>"


def _policy(parts: Parts) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = parts.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    return statements


def _job(parts: Parts) -> list[dict[str, Any]]:
    (job,) = parts.named("AWS::IAM::Policy", "TrainingJobRole").values()
    statements: list[dict[str, Any]] = job["Properties"]["PolicyDocument"]["Statement"]
    return statements


def test_by_default_no_key_is_made_or_used(parts: Parts) -> None:
    assert not parts.named("AWS::KMS::Key")
    assert "kms:" not in str(parts.template)


def test_all_that_a_stack_keeps_is_encrypted_with_its_key(keyed: Parts) -> None:
    key = _key(keyed)
    for bucket in keyed.named("AWS::S3::Bucket").values():
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        told = rule["ServerSideEncryptionByDefault"]
        assert told["SSEAlgorithm"] == "aws:kms" and text(told["KMSMasterKeyID"]) == key
        assert rule["BucketKeyEnabled"] is True  # or each photo is a request to KMS
    for kind, field in (
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
    ):
        resources = keyed.named(kind)
        assert resources
        for name, each in resources.items():
            assert text(each["Properties"][field]) == key, name
    assert keyed.one("AWS::KMS::Key")["EnableKeyRotation"] is True
    (resource,) = keyed.named("AWS::KMS::Key").values()
    assert resource["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("role", [*FUNCTIONS, "the training program"])
def test_a_role_may_use_the_key_for_what_it_may_read_write_send_and_receive(
    keyed: Parts, role: str
) -> None:
    statements = _job(keyed) if role not in FUNCTIONS else keyed.statements(role)
    actions = {action for each in statements for action in several(each["Action"])}
    for action in actions & _NEEDS.keys():
        service, needed = _NEEDS[action]
        for each in needed:
            assert allows(statements, each, _key(keyed), kms_ViaService=f"{service}.{_HERE}"), (
                action,
                each,
            )


def test_a_role_that_only_reads_and_writes_objects_may_not_decrypt_by_itself(keyed: Parts) -> None:
    for role in ("search", "setup"):
        assert not allows(keyed.statements(role), "kms:Decrypt", _key(keyed))
        lambda_ = f"lambda.{_HERE}"
        assert not allows(
            keyed.statements(role), "kms:Decrypt", _key(keyed), kms_ViaService=lambda_
        )


def test_services_may_use_the_key_for_what_they_send_and_read(keyed: Parts) -> None:
    policy = _policy(keyed)
    account = {"aws_SourceAccount": "<AWS::AccountId>"}
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        for sender in ("s3.amazonaws.com", "cloudwatch.amazonaws.com"):
            assert allows(policy, action, "*", sender, **account)
            assert not allows(policy, action, "*", sender, aws_SourceAccount="2")
    log = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:a"
    told = {"kms:EncryptionContext:aws:logs:arn": log}
    assert allows(policy, "kms:Encrypt", "*", f"logs.{_HERE}", **told)
    assert not allows(policy, "kms:Encrypt", "*", f"logs.{_HERE}")
    arn = "arn:<AWS::Partition>:cloudfront::<AWS::AccountId>:distribution/E1"
    for name in ("AWS:SourceArn", "aws:SourceArn"):
        if allows(policy, "kms:Decrypt", "*", "cloudfront.amazonaws.com", **{name: arn}):
            return
    pytest.fail("CloudFront may not read what the key encrypts")


def test_a_key_that_is_named_is_used_and_not_made(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, key=ARN))
    assert not parts.named("AWS::KMS::Key")
    for role in ("embed", "search"):
        assert allows(parts.statements(role), "kms:Decrypt", ARN, kms_ViaService=f"s3.{_HERE}")


def test_the_key_of_an_existing_bucket_is_another(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, catalog_bucket="photos", catalog_key=THEIRS, key=ARN))
    for key in (ARN, THEIRS):
        assert allows(parts.statements("embed"), "kms:Decrypt", key, kms_ViaService=f"s3.{_HERE}")
    alone = Parts(synthesize(root, tmp_path / "1", catalog_bucket="photos", catalog_key=THEIRS))
    assert allows(
        alone.statements("embed"), "kms:GenerateDataKey", THEIRS, kms_ViaService=f"s3.{_HERE}"
    )
    (rule,) = alone.one("AWS::S3::Bucket", "StorageArtifacts")["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_rules_of_policies_refuse_what_is_not_said() -> None:
    said: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": "kms:Gen*", "Resource": "a"},
        {"Effect": "Deny", "Action": ["kms:GenerateMac"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "kms:Sign",
            "Resource": "a",
            "Condition": {"StringEquals": {"kms:ViaService": ["s3.x"]}},
        },
    ]
    assert allows(said, "kms:GenerateDataKey", "a")
    assert not allows(said, "kms:GenerateDataKey", "b")
    assert not allows(said, "kms:GenerateMac", "a")
    assert not allows(said, "kms:Sign", "a")
    assert allows(said, "kms:Sign", "a", kms_ViaService="s3.x")
    assert not allows(said, "kms:Sign", "a", kms_ViaService="sqs.x")

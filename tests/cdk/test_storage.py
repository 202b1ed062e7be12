"""Tests of storage.py: buckets are private, and photos and artifacts are never lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cdk.synthesis import Parts, synthesize, text

pytestmark = pytest.mark.slow

BUCKETS = ("StorageCatalog", "StorageArtifacts", "StorageSite")


def _bucket(parts: Parts, prefix: str) -> dict[str, Any]:
    (resource,) = parts.named("AWS::S3::Bucket", prefix).values()
    return resource


def test_every_bucket_is_private_encrypted_and_tls_only(parts: Parts) -> None:
    assert len(parts.named("AWS::S3::Bucket")) == len(BUCKETS)
    for name in BUCKETS:
        bucket = _bucket(parts, name)["Properties"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        (policy,) = parts.named("AWS::S3::BucketPolicy", name).values()
        denied = [
            each
            for each in policy["Properties"]["PolicyDocument"]["Statement"]
            if each["Effect"] == "Deny"
        ]
        assert denied[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_photos_and_artifacts_keep_what_was_replaced(parts: Parts) -> None:
    for name in ("StorageCatalog", "StorageArtifacts"):
        bucket = _bucket(parts, name)["Properties"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        (rule,) = (r for r in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" not in r)
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


def test_listings_are_the_only_artifacts_that_are_kept_a_day_after_they_were_replaced(
    parts: Parts,
) -> None:
    rules = {
        (name, rule["Prefix"]): rule["NoncurrentVersionExpiration"]
        for name in BUCKETS
        for rule in _bucket(parts, name)["Properties"]["LifecycleConfiguration"]["Rules"]
        if "Prefix" in rule
    }
    assert rules == {("StorageArtifacts", "listings/"): {"NoncurrentDays": 1}}


def test_no_rule_expires_a_current_object(parts: Parts) -> None:
    for name in BUCKETS:
        for rule in _bucket(parts, name)["Properties"]["LifecycleConfiguration"]["Rules"]:
            if "Prefix" not in rule:
                assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
            assert not rule.keys() & {"ExpirationInDays", "ExpirationDate", "Transitions"}


def test_a_destroyed_stack_leaves_the_photos_unless_told_otherwise(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    for name in BUCKETS:
        assert _bucket(parts, name)["DeletionPolicy"] == "Retain"
    assert not parts.named("Custom::S3AutoDeleteObjects")
    destroyed = Parts(synthesize(root, tmp_path, removal="destroy"))
    for name in BUCKETS:
        assert _bucket(destroyed, name)["DeletionPolicy"] == "Delete"
    assert len(destroyed.named("Custom::S3AutoDeleteObjects")) == len(BUCKETS)


def test_an_existing_bucket_with_photos_is_used_and_left_alone(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, catalog_bucket="my-photos"))
    assert not parts.named("AWS::S3::Bucket", "StorageCatalog")
    assert not parts.named("AWS::S3::BucketPolicy", "StorageCatalog")
    assert parts.named("Custom::S3BucketNotifications", "StorageCatalog")
    variables = parts.function("embed")["Environment"]["Variables"]
    assert variables["LENS_CATALOG"] == "s3://my-photos/catalog"
    read = {
        text(each)
        for s in parts.statements("embed")
        for each in [s["Resource"]]
        if isinstance(each, dict)
    }
    assert any("my-photos/catalog/*" in each for each in read)

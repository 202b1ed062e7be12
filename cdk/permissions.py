"""Permissions: policy statements for prefixes of a bucket, never for a whole bucket."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

# Where each stage keeps its objects. A trailing "/" stands for all objects under it: their names
# are made at run time, so the policy ends in "*" there.
CURRENT = "current.json"
HEADS = "heads/"
COMMITS = "commits/"
MODELS = "models/"
SEGMENTS = "segments/"
SNAPSHOTS = "snapshots/"
PRODUCTS = "products/"
SPEEDS = "speeds/"
TRAINING = "training/"
CONDEMNED = "condemned.json"
FORMATS = "formats.json"
LISTINGS = "listings/"
LAYOUT = "layout.json"
HOLDS = "holds.json"
ORIGIN = "catalog.json"
CATALOG = "catalog/"
# The catalog's bucket may be an existing one with the shop's own files. Stacks write only under
# this prefix, each under its own name.
STACKS = "image-lens/"
GALLERY = (CURRENT, FORMATS, CONDEMNED, HEADS, COMMITS, SEGMENTS, SNAPSHOTS, PRODUCTS)


def read(bucket: s3.IBucket, *prefixes: str) -> list[iam.PolicyStatement]:
    """Read objects, and list them, so that a missing object gives 404 and not 403.

    For a missing object S3 checks whether the caller may list, with the key as `s3:prefix`.
    """
    return [_objects(bucket, "s3:GetObject", prefixes), list_objects(bucket, *prefixes)]


def list_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """List the objects under these prefixes."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [_pattern(prefix) for prefix in prefixes]}},
    )


def write(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Write objects."""
    return _objects(bucket, "s3:PutObject", prefixes)


def delete(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Delete objects (in a versioned bucket: mark them as deleted)."""
    return _objects(bucket, "s3:DeleteObject", prefixes)


def notifications(bucket: s3.IBucket) -> iam.PolicyStatement:
    """See whom the bucket tells of its changes."""
    return iam.PolicyStatement(actions=["s3:GetBucketNotification"], resources=[bucket.bucket_arn])


def _objects(bucket: s3.IBucket, action: str, prefixes: tuple[str, ...]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=[action],
        resources=[bucket.arn_for_objects(_pattern(prefix)) for prefix in prefixes],
    )


def _pattern(prefix: str) -> str:
    return f"{prefix}*" if prefix.endswith("/") else prefix

"""Access: policy statements that name prefixes of a bucket, never a whole one."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

# What each stage keeps, by where it keeps it (the design's artifacts). A trailing "/" means the
# objects under it: there the policy ends in "*", because their names are made at run time.
CURRENT = "current.json"
HEADS = "heads/"
COMMITS = "commits/"
MODELS = "models/"
SEGMENTS = "segments/"
SNAPSHOTS = "snapshots/"
TRAINING = "training/"
FORMATS = "formats.json"
CATALOG = "catalog/"
# Of a catalog's bucket, which may be an existing one with files of the shop's own: what stacks
# write there, each under its own name.
STACKS = "image-lens/"
GALLERY = (CURRENT, FORMATS, HEADS, COMMITS, SEGMENTS, SNAPSHOTS)


def read(bucket: s3.IBucket, *prefixes: str) -> list[iam.PolicyStatement]:
    """Read, and be told of an object that it is missing rather than forbidden.

    For a missing object S3 asks whether the caller may list, with the key as `s3:prefix`.
    """
    return [_objects(bucket, "s3:GetObject", prefixes), lists(bucket, *prefixes)]


def lists(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """List what lies under these prefixes."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [_pattern(prefix) for prefix in prefixes]}},
    )


def write(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Write objects."""
    return _objects(bucket, "s3:PutObject", prefixes)


def delete(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Delete objects (of a versioned bucket: mark them deleted)."""
    return _objects(bucket, "s3:DeleteObject", prefixes)


def _objects(bucket: s3.IBucket, action: str, prefixes: tuple[str, ...]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=[action],
        resources=[bucket.arn_for_objects(_pattern(prefix)) for prefix in prefixes],
    )


def _pattern(prefix: str) -> str:
    return f"{prefix}*" if prefix.endswith("/") else prefix

"""The feed: what functions are told of a product file elsewhere and its pictures, and may do there.

Without the settings they are told nothing and may do nothing more.
"""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from cdk.config import Config
from cdk.permissions import read
from cdk.storage import Storage

# A look at the file is asked for by the schedule, and should see what is there then; it asks for
# the file's version and for the file.
_FRESH_MINUTES = "1"


def feed_environment(config: Config) -> dict[str, str]:
    """Where the product file lies, for functions that compare or read it."""
    if not config.feed:
        return {}
    return {"LENS_FEED": config.feed, "LENS_FEED_MINUTES": _FRESH_MINUTES}


def feed_policy(config: Config) -> list[iam.PolicyStatement]:
    """Read the product file, that one object, where it lies in a bucket."""
    if not config.feed.startswith("s3://"):
        return []
    arn = f"arn:{Aws.PARTITION}:s3:::{config.feed.removeprefix('s3://')}"
    return [iam.PolicyStatement(actions=["s3:GetObject"], resources=[arn])]


def pictures_environment(config: Config, storage: Storage) -> dict[str, str]:
    """Where fetched pictures lie, for functions that see the catalog's photos."""
    if not config.feed_pictures:
        return {}
    return {"LENS_FEED_PICTURES": "1", "LENS_PICTURES": storage.thumbs_location}


def pictures_policy(config: Config, storage: Storage) -> list[iam.PolicyStatement]:
    """Read fetched pictures as the catalog's photos are read."""
    return read(storage.catalog, storage.pictures) if config.feed_pictures else []

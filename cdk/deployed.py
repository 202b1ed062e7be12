"""The deployed stack: what is there, and a change of its photos' place that nobody named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cdk.config import Config, ConfigError
from cdk.permissions import CATALOG

_BUCKET = "StorageCatalog"  # how CloudFormation's name of the stack's own bucket begins


@dataclass(frozen=True)
class Deployed:
    """A stack's outputs, and the bucket that it made for photos, if it made one; `loses_it`: the
    bucket is deleted with its photos once a deployment no longer has it."""

    outputs: dict[str, str] = field(default_factory=dict)
    own_bucket: str = ""
    loses_it: bool = False

    @property
    def catalog(self) -> str:
        """Where its photos are; empty where there is no stack."""
        return self.outputs.get("CatalogLocation", "")


def read_deployed(cloudformation: Any, stack: str) -> Deployed:
    """What is deployed under this name; empty where nothing is."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        # botocore parses a template in JSON, and gives another one as text.
        template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    except cloudformation.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return Deployed()
        raise
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    for each in resources:
        if each["ResourceType"] == "AWS::S3::Bucket" and each["LogicalResourceId"].startswith(
            _BUCKET
        ):
            made = template["Resources"].get(each["LogicalResourceId"], {})
            loses = made.get("DeletionPolicy", "Delete") == "Delete"
            return Deployed(outputs, each["PhysicalResourceId"], loses)
    return Deployed(outputs)


def refuse_moved_catalog(config: Config, deployed: Deployed) -> None:
    """ConfigError where this deployment would look for its photos elsewhere and the new place is
    not named, or where it would delete the bucket that they are in."""
    if not deployed.catalog:
        return
    bucket = config.catalog_bucket or deployed.own_bucket
    there = f"s3://{bucket}/{CATALOG.rstrip('/')}" if bucket else ""
    if config.catalog_bucket and deployed.own_bucket and deployed.loses_it:
        raise ConfigError(
            f"catalog_bucket={config.catalog_bucket} takes the bucket {deployed.own_bucket} out of "
            f"the stack {config.stack}, and removal=destroy deletes it with its photos: deploy "
            "once with removal=retain first"
        )
    if there == deployed.catalog or (there and config.move_catalog.rstrip("/") == there):
        return
    present = deployed.catalog.removeprefix("s3://").partition("/")[0]
    back = f"name it (-c catalog_bucket={present})"
    if there:
        raise ConfigError(
            f"the photos of the stack {config.stack} are in {deployed.catalog}, and are to be in "
            f"{there}, which its gallery does not follow: {back}; or, if they have moved, say so "
            f"(-c move_catalog={there})"
        )
    raise ConfigError(
        f"the photos of the stack {config.stack} are in {deployed.catalog}, and these settings "
        f"make a new, empty bucket: {back}; to move, make the new bucket yourself and name it with "
        "catalog_bucket and move_catalog"
    )

"""Tests of deployed.py: what is there already, and a change of the photos' place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from cdk.config import Config, ConfigError
from cdk.deployed import Deployed, read_deployed, refuse_moved_catalog

OWN = Deployed({"CatalogLocation": "s3://made-1/catalog"}, "made-1")
NAMED = Deployed({"CatalogLocation": "s3://photos/catalog"})


def answering(outputs: dict[str, str], policy: str = "") -> Any:
    """CloudFormation with one stack, or with none where it has no outputs: botocore checks that its
    replies are such as AWS gives. With a policy, the stack made its bucket for photos."""
    client = botocore.session.Session().create_client(
        "cloudformation", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    stub = Stubber(client)
    stub.activate()
    if not outputs:
        stub.add_client_error("describe_stacks", "ValidationError", "does not exist")
        return client
    made = {
        "LogicalResourceId": "StorageCatalog1A",
        "PhysicalResourceId": "made-1",
        "ResourceType": "AWS::S3::Bucket",
    }
    site = {**made, "LogicalResourceId": "StorageSite1A", "PhysicalResourceId": "site-1"}
    stack = {
        "StackName": "Shop",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": text} for key, text in outputs.items()],
    }
    there = [
        {**each, "Timestamp": stack["CreationTime"], "ResourceStatus": "CREATE_COMPLETE"}
        for each in ((made, site) if policy else (site,))
    ]
    template = {"Resources": {"StorageCatalog1A": {"DeletionPolicy": policy}}}
    stub.add_response("describe_stacks", {"Stacks": [stack]})
    stub.add_response("describe_stack_resources", {"StackResources": there})
    stub.add_response("get_template", {"TemplateBody": json.dumps(template)})
    return client


@pytest.mark.parametrize(("policy", "loses"), [("Retain", False), ("Delete", True)])
def test_a_stack_is_read_with_its_bucket(policy: str, loses: bool) -> None:
    assert read_deployed(answering(OWN.outputs, policy), "Shop") == Deployed(
        OWN.outputs, "made-1", loses
    )


def test_a_stack_on_an_existing_bucket_and_none_at_all_are_read_too() -> None:
    assert read_deployed(answering(NAMED.outputs), "Shop") == NAMED
    assert read_deployed(answering({}), "Shop") == Deployed()


@pytest.mark.parametrize(
    ("config", "deployed"),
    [
        (Config(), Deployed()),
        (Config(catalog_bucket="photos"), Deployed()),
        (Config(), OWN),
        (Config(catalog_bucket="made-1"), OWN),
        (Config(catalog_bucket="photos"), NAMED),
        (Config(catalog_bucket="new", move_catalog="s3://new/catalog"), NAMED),
        (Config(catalog_bucket="new", move_catalog="s3://new/catalog/"), OWN),
    ],
)
def test_the_same_place_and_one_that_is_named_pass(config: Config, deployed: Deployed) -> None:
    refuse_moved_catalog(config, deployed)


def test_another_place_is_refused_with_both_ways_on() -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_moved_catalog(Config(catalog_bucket="fotos"), NAMED)
    told = str(caught.value)
    assert "are in s3://photos/catalog, and are to be in s3://fotos/catalog" in told
    assert "-c catalog_bucket=photos" in told and "-c move_catalog=s3://fotos/catalog" in told


def test_a_forgotten_bucket_is_refused_before_an_empty_one_is_made() -> None:
    with pytest.raises(ConfigError, match=r"a new, empty bucket: name it \(-c catalog_bucket"):
        refuse_moved_catalog(Config(), NAMED)
    with pytest.raises(ConfigError, match="make the new bucket yourself"):
        refuse_moved_catalog(Config(move_catalog="s3://photos/catalog"), NAMED)


def test_a_name_that_is_not_the_new_place_is_no_permission() -> None:
    with pytest.raises(ConfigError, match=r"-c move_catalog=s3://new/catalog"):
        refuse_moved_catalog(Config(catalog_bucket="new", move_catalog="s3://other/catalog"), NAMED)


@pytest.mark.parametrize("bucket", ["made-1", "new"])
def test_a_bucket_that_would_be_deleted_with_its_photos_is_not_taken_out(bucket: str) -> None:
    config = Config(catalog_bucket=bucket, move_catalog=f"s3://{bucket}/catalog")
    with pytest.raises(ConfigError, match=r"deletes it with its photos.*removal=retain first"):
        refuse_moved_catalog(config, Deployed(OWN.outputs, "made-1", loses_it=True))

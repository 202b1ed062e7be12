"""The bucket's events: what else an existing bucket tells of its photos, before S3 refuses ours."""

from __future__ import annotations

from typing import Any

from cdk.config import Config, ConfigError
from cdk.deployed import Deployed
from cdk.permissions import CATALOG

# What the stack asks for (embedding.py), by S3's families of events.
_FAMILIES = ("s3:ObjectCreated", "s3:ObjectRemoved", "s3:LifecycleExpiration")
_KINDS = {
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}


def refuse_overlap(s3: Any, config: Config, deployed: Deployed) -> None:
    """ConfigError where the bucket already sends these events of catalog/ elsewhere: S3 takes one
    destination for an event and a prefix, and a deployment would fail halfway."""
    if not config.catalog_bucket:
        return
    told = s3.get_bucket_notification_configuration(Bucket=config.catalog_bucket)
    ours = deployed.outputs.get("EmbedQueueUrl", "").rpartition("/")[2]
    for kind, arn in _KINDS.items():
        for each in told.get(kind, []):
            if ours and each[arn].endswith(f":{ours}"):
                continue
            if _is_of_photos(each) and _overlaps(_prefix(each)):
                raise ConfigError(
                    f"the bucket {config.catalog_bucket} already tells {each[arn]} of "
                    f"{_prefix(each) or 'all objects'} ({each.get('Id', 'no name')}: "
                    f"{', '.join(each['Events'])}), and S3 takes one destination for an event and "
                    f"a prefix: narrow it to a prefix outside {CATALOG}, or let the bucket send to "
                    "EventBridge for that one, which excludes nobody; then deploy again"
                )


def _is_of_photos(configuration: dict[str, Any]) -> bool:
    families = {event.rpartition(":")[0] for event in configuration["Events"]}
    return bool(families & set(_FAMILIES))


def _prefix(configuration: dict[str, Any]) -> str:
    """Ours has no suffix, so each suffix overlaps with it."""
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((each["Value"] for each in rules if each["Name"].lower() == "prefix"), "")


def _overlaps(prefix: str) -> bool:
    return CATALOG.startswith(prefix) or prefix.startswith(CATALOG)

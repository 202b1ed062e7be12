"""The leftovers: lists a stack's resources that are still in an account, by service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# Service, operation that lists, path to the items, path to an item's name.
_LISTINGS = (
    ("s3", "list_buckets", "Buckets", "Name"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "FunctionArn"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_policies", "Policies", "PolicyName"),
    ("events", "list_rules", "Rules", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("apigatewayv2", "get_apis", "Items", "Name"),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("cloudfront", "list_distributions", "DistributionList.Items", "Comment"),
    ("cloudfront", "list_origin_access_controls", "OriginAccessControlList.Items", "Name"),
    (
        "cloudfront",
        "list_cache_policies",
        "CachePolicyList.Items",
        "CachePolicy.CachePolicyConfig.Name",
    ),
    (
        "cloudfront",
        "list_response_headers_policies",
        "ResponseHeadersPolicyList.Items",
        "ResponseHeadersPolicy.ResponseHeadersPolicyConfig.Name",
    ),
)


def leftovers(client: Callable[[str], Any], stack: str) -> list[str]:
    """Service and name of every resource whose name contains the stack's name."""
    return [
        f"{service}: {name}"
        for service, operation, items, attribute in _LISTINGS
        for name in _names(client(service), operation, items, attribute)
        if stack.lower() in name.lower().replace(" ", "")
    ]


def _names(client: Any, operation: str, items: str, attribute: str) -> Iterator[str]:
    reply = getattr(client, operation)()
    for item in _in(reply, items) or []:
        yield str(_in(item, attribute) if attribute else item)


def _in(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = (value or {}).get(name)
    return value

"""The firewall: a WAF in front of CloudFront, in a stack of its own, because those are in us-east-1
alone."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk.config import Config

REGION = "us-east-1"
_FIVE_MINUTES = 300
_BUSY = "Busy"
# What the page and API clients understand (lambdas/search/errors.py); no request got an id.
_TOO_OFTEN = {
    "error": {
        "code": "too_often",
        "message": "too many requests from this address: try again in a minute",
        "request_id": "",
    }
}
# Rules about a body: a photo's bytes may look like anything, and are longer than 8 KB.
_OF_BODIES = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
)
# AWS's groups of rules, by the group's name, with the rules of each that only count.
_MANAGED: dict[str, tuple[str, ...]] = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ),
    "AWSManagedRulesCommonRuleSet": _OF_BODIES,
}


class FirewallStack(Stack):
    """`arn` is that of a WAF that refuses an address which asks the API too often, and what AWS's
    managed rules know as an attack."""

    def __init__(self, scope: Construct, *, config: Config, **properties: Any) -> None:
        name = f"{config.stack}-Firewall"
        super().__init__(scope, name, description="Image Lens: the firewall", **properties)
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible(config.stack),
            custom_response_bodies={
                _BUSY: wafv2.CfnWebACL.CustomResponseBodyProperty(
                    content=json.dumps(_TOO_OFTEN), content_type="APPLICATION_JSON"
                )
            },
            rules=[
                _rate(config.waf_rate),
                *(
                    _managed(priority, group, counted)
                    for priority, (group, counted) in enumerate(_MANAGED.items(), start=1)
                ),
            ],
        )
        self.arn = acl.attr_arn


def _rate(limit: int) -> wafv2.CfnWebACL.RuleProperty:
    """Of the API alone: one answer shows a page full of thumbnails, which CloudFront has."""
    return wafv2.CfnWebACL.RuleProperty(
        name="Rate",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(
            block=wafv2.CfnWebACL.BlockActionProperty(
                custom_response=wafv2.CfnWebACL.CustomResponseProperty(
                    response_code=429,
                    custom_response_body_key=_BUSY,
                    response_headers=[
                        wafv2.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="60"),
                        wafv2.CfnWebACL.CustomHTTPHeaderProperty(
                            name="Cache-Control", value="no-store"
                        ),
                    ],
                )
            )
        ),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                limit=limit,
                aggregate_key_type="IP",
                evaluation_window_sec=_FIVE_MINUTES,
                scope_down_statement=wafv2.CfnWebACL.StatementProperty(
                    byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
                        field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
                        positional_constraint="STARTS_WITH",
                        search_string="/api/",
                        text_transformations=[
                            wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")
                        ],
                    )
                ),
            )
        ),
        visibility_config=_visible("Rate"),
    )


def _managed(priority: int, group: str, counted: tuple[str, ...]) -> wafv2.CfnWebACL.RuleProperty:
    name = group.removeprefix("AWSManagedRules")
    count = wafv2.CfnWebACL.RuleActionProperty(count={})
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=group,
                rule_action_overrides=[
                    wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count)
                    for rule in counted
                ],
            )
        ),
        visibility_config=_visible(name),
    )


def _visible(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Counted as a metric; no sample of a request is kept, which has an address."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )

"""Tests of access.py and firewall.py: who may ask the API, and what is refused before it.

Covers: firewall.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from cdk.app import stacks
from cdk.assets import Assets
from cdk.config import Config, ConfigError
from cdk.firewall import FirewallStack
from lambdas.search.errors import TOO_OFTEN
from lambdas.search.origin_wall import HEADER
from tests.cdk.synthesis import Parts, synthesize, text

pytestmark = pytest.mark.slow

ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/1"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys-AbCdEf"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/abc-1"
ACCOUNT = "123456789012"


def _sent(parts: Parts) -> list[str]:
    """What CloudFront sends to the API beside the viewer's headers."""
    config = parts.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    api = [each for each in config["Origins"] if "execute-api" in text(each["DomainName"])]
    headers = [each for origin in api for each in origin.get("OriginCustomHeaders", ())]
    assert all(each["HeaderName"] == HEADER for each in headers)
    return [text(each["HeaderValue"]) for each in headers]


def _known(parts: Parts) -> list[str]:
    told = parts.function("search")["Environment"]["Variables"].get("LENS_ORIGIN_KEYS")
    return text(told).split(",") if told else []


def test_the_api_is_open_where_nothing_stands_before_it(parts: Parts) -> None:
    assert _sent(parts) == _known(parts) == []
    assert not parts.named("AWS::SecretsManager::Secret")


@pytest.mark.parametrize(
    "before",
    [
        {"web_acl_arn": ACL},
        {"domain": "find.shop.example", "certificate_arn": CERTIFICATE},
    ],
)
def test_behind_a_firewall_or_a_domain_the_api_s_own_address_answers_nobody(
    root: Path, tmp_path: Path, before: dict[str, str]
) -> None:
    closed = Parts(synthesize(root, tmp_path / "closed", **before))
    (key,) = _sent(closed)
    assert _known(closed) == [key]
    (name,) = closed.named("AWS::SecretsManager::Secret")
    assert re.fullmatch(rf"\{{\{{resolve:secretsmanager:<{name}>:SecretString:::?\}}\}}", key), key
    opened = Parts(synthesize(root, tmp_path / "opened", **before, direct=True))
    assert _sent(opened) == _known(opened) == []


def test_a_key_is_changed_by_a_number_and_the_one_before_opens_until_the_next(
    root: Path, tmp_path: Path
) -> None:
    """CloudFront still sends the one before for minutes after the function was told."""
    first, second, third = (
        Parts(synthesize(root, tmp_path / str(number), web_acl_arn=ACL, origin_key=number))
        for number in (1, 2, 3)
    )
    assert len(_known(first)) == 1 and len(_known(second)) == len(_known(third)) == 2
    ((_, distribution),) = second.named("AWS::CloudFront::Distribution").items()
    ((function, _),) = second.named("AWS::Lambda::Function", "Functionssearch").items()
    assert function in distribution["DependsOn"], "the function knows it first"
    for before, now in ((first, second), (second, third)):
        assert _known(now)[0] == _sent(before)[0]
        assert _known(now)[1] == _sent(now)[0] != _sent(before)[0]
    assert set(first.named("AWS::SecretsManager::Secret")) < set(
        second.named("AWS::SecretsManager::Secret")
    )


def _routes(parts: Parts) -> dict[str, str]:
    """How each route knows its caller."""
    return {
        each["Properties"]["RouteKey"]: each["Properties"].get("AuthorizationType", "NONE")
        for each in parts.named("AWS::ApiGatewayV2::Route").values()
    }


def test_searches_have_a_limit_of_their_own(parts: Parts, root: Path, tmp_path: Path) -> None:
    own = Parts(synthesize(root, tmp_path, throttle_search_rate=3.5, throttle_search_burst=7))
    limit = {"ThrottlingRateLimit": 3.5, "ThrottlingBurstLimit": 7}
    ((_, stage),) = own.named("AWS::ApiGatewayV2::Stage").items()
    settings = stage["Properties"]["RouteSettings"]
    assert settings == {"POST /api/search-image": limit, "POST /api/why": limit}
    # API Gateway refuses settings of a route that is not there yet.
    assert set(own.named("AWS::ApiGatewayV2::Route")) <= set(stage["DependsOn"])
    assert set(settings) < set(_routes(own))
    default = parts.one("AWS::ApiGatewayV2::Stage")
    searches = default["RouteSettings"]["POST /api/search-image"]
    assert searches["ThrottlingRateLimit"] < default["DefaultRouteSettings"]["ThrottlingRateLimit"]


def test_keys_are_asked_for_where_a_secret_has_some(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, authorizer="keys", keys_secret=SECRET))
    authorizer = parts.one("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["AuthorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert _routes(parts) == {
        "POST /api/search-image": "CUSTOM",
        "POST /api/why": "CUSTOM",
        "ANY /api/{proxy+}": "CUSTOM",
        "GET /api/health": "NONE",
        "OPTIONS /api/{proxy+}": "NONE",
    }
    assert parts.function("authorize")["Environment"]["Variables"]["LENS_KEYS_SECRET"] == SECRET
    granted = [
        each
        for each in parts.statements("authorize")
        if each["Action"] == "secretsmanager:GetSecretValue"
    ]
    assert [each["Resource"] for each in granted] == [SECRET]


def test_tokens_are_asked_for_where_an_issuer_is_named(root: Path, tmp_path: Path) -> None:
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC"
    parts = Parts(
        synthesize(root, tmp_path, authorizer="jwt", jwt_issuer=issuer, jwt_audience="shop, app")
    )
    authorizer = parts.one("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["JwtConfiguration"] == {"Issuer": issuer, "Audience": ["shop", "app"]}
    assert _routes(parts)["POST /api/search-image"] == "JWT"
    assert _routes(parts)["GET /api/health"] == "NONE"
    assert not parts.named("AWS::Lambda::Function", "Functionsauthorize")


def test_the_api_is_open_to_all_by_default(parts: Parts) -> None:
    assert set(_routes(parts).values()) == {"NONE"}
    assert not parts.named("AWS::ApiGatewayV2::Authorizer")


def _both(
    root: Path, out: Path, region: str, **settings: Any
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The firewall's template and the stack's."""
    app = App(outdir=str(out))
    config = Config.model_validate({"waf": True, **settings})
    stack = stacks(app, config, Assets.of(root, config), ACCOUNT, region)
    firewall = app.node.find_child(f"{config.stack}-Firewall")
    return Template.from_stack(firewall).to_json(), Template.from_stack(stack).to_json()  # type: ignore[arg-type]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_firewall_is_made_in_us_east_1_and_stands_before_cloudfront(
    root: Path, tmp_path: Path, region: str
) -> None:
    firewall, stack = _both(root, tmp_path, region, waf_rate=200)
    (acl,) = [each for each in firewall["Resources"].values() if "WebACL" in each["Type"]]
    assert acl["Properties"]["Scope"] == "CLOUDFRONT"
    distribution = Parts(Template.from_json(stack)).one("AWS::CloudFront::Distribution")
    assert distribution["DistributionConfig"]["WebACLId"]
    assert _sent(Parts(Template.from_json(stack))), "and nobody passes it by"
    rate, *managed = sorted(acl["Properties"]["Rules"], key=lambda rule: rule["Priority"])
    based = rate["Statement"]["RateBasedStatement"]
    assert (based["Limit"], based["AggregateKeyType"]) == (200, "IP")
    assert based["ScopeDownStatement"]["ByteMatchStatement"]["SearchString"] == "/api/"
    groups = [each["Statement"]["ManagedRuleGroupStatement"] for each in managed]
    assert [each["Name"] for each in groups] == [
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
    ]
    counted = {rule["Name"] for group in groups for rule in group.get("RuleActionOverrides", ())}
    assert "SizeRestrictions_BODY" in counted, "no photo is shorter than 8 KB"


def test_what_the_firewall_refuses_by_rate_is_the_api_s_own_refusal(
    root: Path, tmp_path: Path
) -> None:
    firewall, _ = _both(root, tmp_path, "us-east-1")
    (acl,) = [each for each in firewall["Resources"].values() if "WebACL" in each["Type"]]
    answer = acl["Properties"]["Rules"][0]["Action"]["Block"]["CustomResponse"]
    assert answer["ResponseCode"] == TOO_OFTEN.status
    assert {"Name": "Retry-After", "Value": "60"} in answer["ResponseHeaders"]
    body = acl["Properties"]["CustomResponseBodies"][answer["CustomResponseBodyKey"]]
    assert json.loads(body["Content"])["error"].keys() == {"code", "message", "request_id"}
    assert json.loads(body["Content"])["error"]["code"] == TOO_OFTEN.code


def test_cdk_nag_finds_nothing_in_the_firewall(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    firewall = FirewallStack(app, config=Config.model_validate({"waf": True}))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    assert Template.from_stack(firewall).to_json()["Resources"]


def test_a_firewall_without_an_account_says_what_to_do(root: Path, tmp_path: Path) -> None:
    config = Config.model_validate({"waf": True})
    with pytest.raises(ConfigError, match="log in"):
        stacks(App(outdir=str(tmp_path)), config, Assets.of(root, config), None, None)

"""Tests of website.py: CloudFront in front of the page, the API and the photos."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cdk.config import Config
from cdk.quotas import CACHE_POLICIES, header_policies
from lambdas.local.server.page import headers
from lambdas.search.viewer import HOST, PATH
from lens.settings import settings_from
from tests.cdk.synthesis import Parts, synthesize, text

pytestmark = pytest.mark.slow

PATHS = ("/", "/api/*", "/image-lens/*", "/catalog/*")


@pytest.fixture
def distribution(parts: Parts) -> dict[str, Any]:
    """CloudFront's configuration."""
    config: dict[str, Any] = parts.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    return config


def _behaviors(distribution: dict[str, Any]) -> dict[str, dict[str, Any]]:
    others = {each["PathPattern"]: each for each in distribution["CacheBehaviors"]}
    return {"/": distribution["DefaultCacheBehavior"], **others}


def _origin(distribution: dict[str, Any], path: str) -> dict[str, Any]:
    wanted = _behaviors(distribution)[path]["TargetOriginId"]
    origins: dict[str, dict[str, Any]] = {each["Id"]: each for each in distribution["Origins"]}
    return origins[wanted]


def test_each_path_leads_to_its_origin(distribution: dict[str, Any]) -> None:
    assert set(_behaviors(distribution)) == {"/", "/api/*", "/image-lens/*", "/catalog/*"}
    for path, bucket in (("/", "Site"), ("/image-lens/*", "Catalog"), ("/catalog/*", "Catalog")):
        origin = _origin(distribution, path)
        assert text(origin["DomainName"]).startswith(f"<Storage{bucket}")
        assert origin["OriginAccessControlId"]
    api = _origin(distribution, "/api/*")
    assert "execute-api" in text(api["DomainName"])
    assert api["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_only_this_distribution_reads_the_buckets(parts: Parts) -> None:
    for name in ("StorageSite", "StorageCatalog"):
        (policy,) = parts.named("AWS::S3::BucketPolicy", name).values()
        allowed = [
            each
            for each in policy["Properties"]["PolicyDocument"]["Statement"]
            if each["Effect"] == "Allow" and "Service" in each["Principal"]
        ]
        for each in allowed:
            assert each["Principal"] == {"Service": "cloudfront.amazonaws.com"}
            assert each["Action"] == "s3:GetObject"
            assert "AWS:SourceArn" in each["Condition"]["StringEquals"]
        assert allowed


def test_the_api_gets_every_header_but_the_host(distribution: dict[str, Any]) -> None:
    api = _behaviors(distribution)["/api/*"]
    all_viewer_except_host_header = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert api["OriginRequestPolicyId"] == all_viewer_except_host_header
    assert "POST" in api["AllowedMethods"]


def test_the_api_learns_host_and_path_as_the_viewer_sent_them(
    parts: Parts, distribution: dict[str, Any]
) -> None:
    (associated,) = _behaviors(distribution)["/api/*"]["FunctionAssociations"]
    assert associated["EventType"] == "viewer-request"
    code = parts.one("AWS::CloudFront::Function")["FunctionCode"]
    asked = {
        "uri": "/api/items/WOMEN%2Fsimilar",
        "headers": {
            "host": {"value": "shop.example"},
            HOST: {"value": "evil.example"},
            "accept": {"value": "*/*"},
        },
    }
    program = f"{code}\nconsole.log(JSON.stringify(handler({{request: {json.dumps(asked)}}})))"
    node = Path(sys.executable).with_name("node")
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    sent = json.loads(done.stdout)
    assert sent["uri"] == asked["uri"]
    assert {name: each["value"] for name, each in sent["headers"].items()} == {
        "host": "shop.example",
        "accept": "*/*",
        HOST: "shop.example",
        PATH: "/api/items/WOMEN%2Fsimilar",
    }


def test_replies_are_kept_as_long_as_each_path_allows(
    parts: Parts, distribution: dict[str, Any]
) -> None:
    kept = {}
    for path, behavior in _behaviors(distribution).items():
        policy = parts.resources[behavior["CachePolicyId"]["Ref"]]["Properties"]
        kept[path] = policy["CachePolicyConfig"]["DefaultTTL"]
        # What CloudFront may not keep at all, it does not compress.
        assert policy["CachePolicyConfig"]["MinTTL"] == (0 if path == "/api/*" else 1)
        assert behavior["Compress"] is True
        assert policy["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"][
            "EnableAcceptEncodingGzip"
        ]
    # The page's files and thumbnails say themselves how long; a shop's photos need not.
    assert kept == {"/": 3_600, "/api/*": 0, "/image-lens/*": 3_600, "/catalog/*": 3_600}


@pytest.mark.parametrize(("sites", "headers"), [("", 2), ("https://shop.example", 3)])
def test_a_stack_makes_few_policies_of_the_twenty_that_an_account_may_have(
    root: Path, tmp_path: Path, sites: str, headers: int
) -> None:
    parts = Parts(synthesize(root, tmp_path, cors_origins=sites))
    assert len(parts.named("AWS::CloudFront::CachePolicy")) == CACHE_POLICIES == 2
    made = len(parts.named("AWS::CloudFront::ResponseHeadersPolicy"))
    assert made == header_policies(Config(cors_origins=sites)) == headers


def test_the_apis_own_policy_is_not_replaced(parts: Parts, distribution: dict[str, Any]) -> None:
    security = _headers(parts, distribution, "/api/*")["SecurityHeadersConfig"]
    assert security["ContentSecurityPolicy"]["Override"] is False


def test_what_the_api_lets_be_kept_is_kept_once_whatever_else_an_address_says(
    parts: Parts, distribution: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    """Else anybody makes CloudFront ask the API with ?x=1, ?x=2, ..."""

    def key(parts: Parts, distribution: dict[str, Any]) -> dict[str, Any]:
        policy = parts.resources[_behaviors(distribution)["/api/*"]["CachePolicyId"]["Ref"]]
        config: dict[str, Any] = policy["Properties"]["CachePolicyConfig"]
        return dict(config["ParametersInCacheKeyAndForwardedToOrigin"])

    of_default = key(parts, distribution)
    assert of_default["QueryStringsConfig"] == {
        "QueryStringBehavior": "whitelist",
        "QueryStrings": ["size"],
    }
    assert of_default["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert of_default["CookiesConfig"] == {"CookieBehavior": "none"}
    named = Parts(synthesize(root, tmp_path, cors_origins="https://shop.example"))
    config = named.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert key(named, config)["HeadersConfig"]["Headers"] == ["Origin"]


def _headers(parts: Parts, distribution: dict[str, Any], path: str) -> dict[str, Any]:
    policy = parts.resources[_behaviors(distribution)[path]["ResponseHeadersPolicyId"]["Ref"]]
    config: dict[str, Any] = policy["Properties"]["ResponseHeadersPolicyConfig"]
    return config


def test_the_page_is_confined_as_it_is_locally(parts: Parts, distribution: dict[str, Any]) -> None:
    security = _headers(parts, distribution, "/")["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert policy == headers()["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert all("CorsConfig" not in _headers(parts, distribution, path) for path in PATHS)


def test_sites_that_are_named_may_contain_the_widget_and_frame_the_page(
    root: Path, tmp_path: Path
) -> None:
    sites = ["https://shop.example", "https://www.shop.example"]
    named = {"cors_origins": ", ".join(sites), "frame_ancestors": "https://*.shop.example"}
    parts = Parts(synthesize(root, tmp_path, **named))
    config = parts.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    for path in set(PATHS) - {"/api/*"}:
        cors = _headers(parts, config, path)["CorsConfig"]
        assert cors["AccessControlAllowOrigins"] == {"Items": sites}
        assert cors["AccessControlAllowMethods"] == {"Items": ["GET", "HEAD"]}
        assert cors["AccessControlAllowCredentials"] is False
    refused = _headers(parts, config, "/api/*")["CorsConfig"]  # API Gateway's, which has none
    assert refused["OriginOverride"] is False, "the API sends its own"
    assert refused["AccessControlAllowOrigins"] == {"Items": sites}
    assert refused["AccessControlExposeHeaders"]["Items"] == ["Retry-After", "X-Request-Id"]
    variables = parts.function("search")["Environment"]["Variables"]
    assert settings_from({"LENS_CORS_ORIGINS": variables["LENS_CORS_ORIGINS"]}).cors_origins == (
        *sites,
    )
    security = _headers(parts, config, "/")["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert policy == headers(["https://*.shop.example"])["Content-Security-Policy"]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_has_the_security_headers(
    parts: Parts, distribution: dict[str, Any], path: str
) -> None:
    headers = _headers(parts, distribution, path)
    security = headers["SecurityHeadersConfig"]
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    (custom,) = headers["CustomHeadersConfig"]["Items"]
    assert custom["Header"] == "Permissions-Policy"


def test_a_photo_that_is_a_page_in_disguise_can_do_nothing(
    parts: Parts, distribution: dict[str, Any]
) -> None:
    for path in ("/image-lens/*", "/catalog/*"):
        security = _headers(parts, distribution, path)["SecurityHeadersConfig"]
        assert "sandbox" in security["ContentSecurityPolicy"]["ContentSecurityPolicy"]


def test_the_apis_errors_are_not_replaced_by_pages(distribution: dict[str, Any]) -> None:
    for each in distribution["CustomErrorResponses"]:
        assert each.keys() == {"ErrorCode", "ErrorCachingMinTTL"}
        assert each["ErrorCachingMinTTL"] == 0, "who is refused for a moment may ask again"
    kept = {each["ErrorCode"] for each in distribution["CustomErrorResponses"]}
    assert {502, 503, 504} <= kept
    assert distribution["HttpVersion"] == "http2and3"


def test_a_domain_brings_its_certificate_and_modern_tls(root: Path, tmp_path: Path) -> None:
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/abc-1"
    acl = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/1"
    parts = Parts(
        synthesize(
            root,
            tmp_path,
            domain="find.example.com",
            certificate_arn=certificate,
            web_acl_arn=acl,
            price_class="all",
        )
    )
    config = parts.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["find.example.com"]
    assert config["ViewerCertificate"]["AcmCertificateArn"] == certificate
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert config["WebACLId"] == acl
    assert config["PriceClass"] == "PriceClass_All"


def test_an_emulated_aws_is_found_through_its_own_address(root: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "emulator": "http://127.0.0.1:4566",
        "site": False,
        "image": "lens:1",
    }
    parts = Parts(synthesize(root, tmp_path, **settings, removal="destroy"))
    config = parts.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    origin = _origin(config, "/api/*")
    assert origin["DomainName"] == "localhost"
    assert text(origin["OriginPath"]).startswith("/_aws/execute-api/")
    assert "lens:1" in text(parts.function("search")["Code"]["ImageUri"])
    assert not parts.named("Custom::CDKBucketDeployment")

"""Tests of search.py: the HTTP API, and the version of the function that it invokes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk.synthesis import Parts, synthesize

pytestmark = pytest.mark.slow


def test_the_api_is_throttled_and_logged_without_addresses(parts: Parts) -> None:
    stage = parts.one("AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 100
    assert "sourceIp" not in stage["AccessLogSettings"]["Format"]
    assert "$context.status" in stage["AccessLogSettings"]["Format"]


def test_searches_are_kept_only_where_it_is_asked_for_and_for_so_long(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    assert "LENS_SEARCH_LOG" not in parts.function("search")["Environment"]["Variables"]
    kept = Parts(synthesize(root, tmp_path, search_log="7"))
    assert kept.function("search")["Environment"]["Variables"]["LENS_SEARCH_LOG"] == "-"
    days = {
        name: log["Properties"]["RetentionInDays"]
        for name, log in kept.named("AWS::Logs::LogGroup").items()
    }
    group = kept.function("search")["LoggingConfig"]["LogGroup"]["Ref"]
    assert days.pop(group) == 7 and set(days.values()) == {30}


def test_cors_is_the_applications(parts: Parts) -> None:
    assert "CorsConfiguration" not in parts.one("AWS::ApiGatewayV2::Api")
    routes = parts.named("AWS::ApiGatewayV2::Route").values()
    assert "ANY /api/{proxy+}" in [each["Properties"]["RouteKey"] for each in routes]
    assert parts.one("AWS::ApiGatewayV2::Integration")["PayloadFormatVersion"] == "2.0"


def test_search_has_its_share_of_the_account_s_functions(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    """An upload of a thousand photos takes as many as embed_concurrency, and no more."""
    assert parts.function("search")["ReservedConcurrentExecutions"] == 50
    source = next(iter(parts.named("AWS::Lambda::EventSourceMapping", "EmbeddingFeed").values()))
    assert source["Properties"]["ScalingConfig"]["MaximumConcurrency"] == 20
    without = Parts(synthesize(root, tmp_path, search_reserved=0))
    assert "ReservedConcurrentExecutions" not in without.function("search")


def test_warm_functions_stand_behind_an_alias(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, search_provisioned=2, search_reserved=10))
    alias = parts.one("AWS::Lambda::Alias")
    assert alias["ProvisionedConcurrencyConfig"]["ProvisionedConcurrentExecutions"] == 2
    (name,) = parts.named("AWS::Lambda::Alias")
    uri = parts.one("AWS::ApiGatewayV2::Integration")["IntegrationUri"]
    assert uri == {"Ref": name}
    assert parts.function("search")["ReservedConcurrentExecutions"] == 10


def test_a_search_that_resumes_from_a_snapshot_stands_behind_an_alias_of_a_version(
    root: Path, tmp_path: Path
) -> None:
    parts = Parts(synthesize(root, tmp_path, packaging="snapstart"))
    search = parts.function("search")
    assert search["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "EphemeralStorage" not in search  # SnapStart allows no more than 512 MB
    assert "SnapStart" not in parts.function("embed")
    alias = parts.one("AWS::Lambda::Alias")
    assert "ProvisionedConcurrencyConfig" not in alias
    ((name, version),) = parts.named("AWS::Lambda::Version", "Functionssearch").items()
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [name, "Version"]}
    assert alias["FunctionName"] == version["Properties"]["FunctionName"]
    # Every version that is kept is a snapshot that costs money.
    assert version.get("DeletionPolicy", "Delete") == "Delete"
    # Lambda initializes it when it is published: the first model and the role must be ready.
    assert any(each.startswith("SetupRun") for each in version["DependsOn"])
    ((_, resource),) = parts.named("AWS::Lambda::Function", "Functionssearch").items()
    assert any("DefaultPolicy" in each for each in resource["DependsOn"])
    (live,) = parts.named("AWS::Lambda::Alias")
    assert parts.one("AWS::ApiGatewayV2::Integration")["IntegrationUri"] == {"Ref": live}
    # Search and embed have the serving layer, and no function of the stack is an image.
    layers = {
        each: [layer["Ref"][:-8] for layer in parts.function(each)["Layers"]]
        for each in ("search", "embed", "build_index")
    }
    assert layers["search"] == layers["embed"] == ["FunctionsLens", "FunctionsServing"]
    assert layers["build_index"] == ["FunctionsLens", "FunctionsGallery"]
    for each in parts.named("AWS::Lambda::Function", "Functions").values():
        assert each["Properties"].get("PackageType", "Zip") == "Zip"
    assert search["Handler"] == "lambdas.search.function.handler"
    assert parts.function("embed")["Handler"] == "lambdas.embed.function.handler"

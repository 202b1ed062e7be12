"""Tests of rollout.py: a new version of search is tried, gets its share, and is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk.synthesis import Parts, synthesize, text
from tests.support.cloudwatch import DAY, Metrics, alarms

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def canary(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(synthesize(root, tmp_path_factory.mktemp("canary"), search_rollout="canary"))


def test_by_default_there_is_no_rollout(parts: Parts) -> None:
    assert not parts.named("AWS::CodeDeploy::DeploymentGroup")
    assert not parts.named("AWS::Lambda::Function", "Functionsrollout")


def test_the_alias_is_moved_by_codedeploy_after_the_check(canary: Parts) -> None:
    ((alias_name, alias),) = canary.named("AWS::Lambda::Alias").items()
    update = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    ((check, _),) = canary.named("AWS::Lambda::Function", "Functionsrollout").items()
    ((group, _),) = canary.named("AWS::CodeDeploy::DeploymentGroup").items()
    assert update["BeforeAllowTrafficHook"] == {"Ref": check}
    assert update["DeploymentGroupName"] == {"Ref": group}
    # The check that runs is the new one, and both it and CodeDeploy may do what they do.
    assert {check, group} <= set(alias["DependsOn"])
    of_check = canary.resources[check]["DependsOn"]
    assert any(each.startswith("FunctionsrolloutRoleDefaultPolicy") for each in of_check)
    assert any("GroupServiceRoleDefaultPolicy" in each for each in alias["DependsOn"])
    assert canary.one("AWS::ApiGatewayV2::Integration")["IntegrationUri"] == {"Ref": alias_name}


def test_the_check_invokes_the_version_that_is_new_and_nothing_else(canary: Parts) -> None:
    ((version, _),) = canary.named("AWS::Lambda::Version", "Functionssearch").items()
    variables = canary.function("rollout")["Environment"]["Variables"]
    assert variables["LENS_SEARCH_VERSION"] == {"Ref": version}
    allowed = {
        (action, text(statement["Resource"]))
        for statement in canary.statements("rollout")
        for action in [statement["Action"]]
        if isinstance(action, str)
    }
    assert ("lambda:InvokeFunction", f"<{version}>") in allowed
    (told,) = [each for action, each in allowed if action.startswith("codedeploy:")]
    assert ":deploymentgroup:" in told
    assert len(allowed) == 2


def test_the_check_has_the_key_of_an_api_that_answers_cloudfront_alone(
    root: Path, tmp_path: Path
) -> None:
    closed = Parts(synthesize(root, tmp_path, search_rollout="checked", waf=True))
    sent = closed.function("rollout")["Environment"]["Variables"]["LENS_ORIGIN_KEYS"]
    known = closed.function("search")["Environment"]["Variables"]["LENS_ORIGIN_KEYS"]
    assert sent == known


def test_a_tenth_goes_first_and_alarms_take_it_back(canary: Parts) -> None:
    group = canary.one("AWS::CodeDeploy::DeploymentGroup")
    assert text(group["DeploymentConfigName"]).endswith("LambdaCanary10Percent10Minutes")
    assert {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"} <= set(
        group["AutoRollbackConfiguration"]["Events"]
    )
    watched = {each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]}
    names = {each.removeprefix("Observability")[:-8] for each in watched}
    assert names == {"ApiErrors", "searchrollout"}
    assert group["AlarmConfiguration"]["Enabled"] is True


def test_a_checked_rollout_takes_all_requests_at_once(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, search_rollout="checked"))
    group = parts.one("AWS::CodeDeploy::DeploymentGroup")
    assert text(group["DeploymentConfigName"]).endswith("LambdaAllAtOnce")
    assert not group.get("AlarmConfiguration", {}).get("Alarms")
    (alias,) = parts.named("AWS::Lambda::Alias").values()
    assert "BeforeAllowTrafficHook" in alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]


def test_one_crash_of_the_new_version_takes_it_back_within_two_minutes(canary: Parts) -> None:
    """By CloudWatch's rules; crashes of the version before do not."""
    alarm = alarms(canary.resources)["searchrollout"]
    where = dict(alarm.key[2])
    ((version, _),) = canary.named("AWS::Lambda::Version", "Functionssearch").items()
    assert where["ExecutedVersion"] == f"<{version}>"
    crash = Metrics()
    crash.add("AWS/Lambda", "Errors", 100, 1, **where)
    (fired,) = alarm.fired(crash, DAY, step=1)
    assert fired - 100 <= 2
    other = Metrics()
    other.add("AWS/Lambda", "Errors", 100, 1, FunctionName=where["FunctionName"])
    other.add("AWS/Lambda", "Errors", 100, 1, **{**where, "ExecutedVersion": "6"})
    assert alarm.fired(other, DAY, step=1) == []

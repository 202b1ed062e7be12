"""Tests of maintenance.py: setup before any event, reconcile and collect on a schedule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk.synthesis import Parts, synthesize

pytestmark = pytest.mark.slow


def test_the_first_model_is_there_before_any_event_is_answered(parts: Parts) -> None:
    (trigger,) = parts.named("Custom::Trigger", "SetupRun")
    for source in parts.named("AWS::Lambda::EventSourceMapping").values():
        assert trigger in source["DependsOn"]


def test_the_layout_is_told_to_what_decides_it_and_only_where_it_is_set(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    assert not [name for name in parts.resources if "LENS_LAYOUT" in str(parts.resources[name])]
    given = Parts(synthesize(root, tmp_path, layout="{category}/{item}_*"))
    told = [name for name in given.resources if "LENS_LAYOUT" in str(given.resources[name])]
    assert [name for name in told if name.startswith("Functionsreconcile")] == told != []


@pytest.mark.parametrize(
    ("part", "function", "rate"),
    [
        ("Upkeep", "reconcile", "1 hour"),
        ("Upkeep", "collect", "1 day"),
        ("Indexing", "compact", "1 day"),  # what was deleted is to leave a quiet shop's files
    ],
)
def test_maintenance_runs_on_a_schedule(parts: Parts, part: str, function: str, rate: str) -> None:
    rule = parts.one("AWS::Events::Rule", f"{part}{function}")
    assert rule["ScheduleExpression"] == f"rate({rate})"
    assert rule["Targets"][0]["Arn"]["Fn::GetAtt"][0].startswith(f"Functions{function}")


def test_a_moved_catalog_is_told_to_all_that_look_at_it(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    assert "LENS_MOVE_CATALOG" not in str(parts.resources)
    given = Parts(synthesize(root, tmp_path, move_catalog="s3://new-bucket/catalog"))
    told = [name for name in given.resources if "LENS_MOVE_CATALOG" in str(given.resources[name])]
    names = sorted(name.removeprefix("Functions").rstrip("0123456789ABCDEF") for name in told)
    assert names == ["embed", "promote", "reconcile"]


def test_what_lists_in_parts_may_call_itself_and_no_other(parts: Parts) -> None:
    allowed = {}
    for policy in parts.named("AWS::IAM::Policy", "Functions").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Action"] == "lambda:InvokeFunction":
                (role,) = policy["Properties"]["Roles"]
                allowed[role["Ref"]] = statement["Resource"]["Fn::GetAtt"][0]
    functions = parts.named("AWS::Lambda::Function", "Functions")
    told = {
        name: role
        for name, function in functions.items()
        if (role := function["Properties"]["Role"]["Fn::GetAtt"][0]) in allowed
    }
    assert {name: allowed[role] for name, role in told.items()} == {name: name for name in told}
    assert sorted(name.rstrip("0123456789ABCDEF") for name in told) == [
        "Functionscollect",
        "Functionsreconcile",
    ]

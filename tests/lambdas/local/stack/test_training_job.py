"""Tests of `lens train` on a deployed stack; following one to its end is tested on the emulator."""

from __future__ import annotations

import json

import boto3
import pytest

from lambdas.local.cli import main
from lambdas.local.stack.outputs import Deployment
from lambdas.local.stack.training_job import _reason, parse_options, train_deployed
from lens.errors import DeploymentError, UsageError


@pytest.fixture
def deployment(s3: None, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A stack whose machine ends at once."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    machine = boto3.client("stepfunctions").create_state_machine(
        name="Machine",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/machine",
    )["stateMachineArn"]
    return Deployment("Shop", "s3://c/catalog", "s3://a", "s3://c", machine, {})


def started(deployment: Deployment, *arguments: str) -> list[str]:
    said: list[str] = []
    train_deployed(deployment, parse_options([*arguments, "--no-wait"]), said.append)
    return said


def inputs(deployment: Deployment) -> dict[str, object]:
    client = boto3.client("stepfunctions")
    listed = client.list_executions(stateMachineArn=deployment.training_machine)["executions"]
    return {
        each["name"]: json.loads(
            client.describe_execution(executionArn=each["executionArn"])["input"]
        )
        for each in listed
    }


def test_a_job_gets_what_was_given_and_the_line_says_how_to_follow_it(
    deployment: Deployment,
) -> None:
    given = ("--preset", "laptop", "--seed", "3", "--margin", "0.01", "--name", "first")
    assert started(deployment, *given) == [
        "job first; `lens train --stack Shop --follow first` follows it"
    ]
    assert inputs(deployment) == {"first": {"preset": "laptop", "seed": "3", "margin": "0.01"}}


def test_a_job_without_a_name_is_called_by_its_preset_and_the_time(deployment: Deployment) -> None:
    started(deployment, "--preset", "seed")
    ((name, given),) = inputs(deployment).items()
    assert name.startswith("seed-20") and given == {"preset": "seed"}


def test_a_name_that_was_used_is_refused(deployment: Deployment) -> None:
    started(deployment, "--name", "first")
    with pytest.raises(UsageError, match="another --name, or --follow first"):
        started(deployment, "--name", "first", "--seed", "1")


def test_a_job_that_does_not_exist_cannot_be_followed(deployment: Deployment) -> None:
    with pytest.raises(UsageError, match="there is no job nobody"):
        train_deployed(deployment, parse_options(["--follow", "nobody"]), print)


def test_a_machine_that_is_gone_is_one_line(deployment: Deployment) -> None:
    boto3.client("stepfunctions").delete_state_machine(stateMachineArn=deployment.training_machine)
    with pytest.raises(DeploymentError, match="cannot start a training job"):
        started(deployment)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            {"cause": '{"FailureReason": "AlgorithmError:\\n no photos"}'},
            "AlgorithmError: no photos",
        ),
        ({"cause": "CapacityError"}, "CapacityError"),
        ({"error": "States.Timeout"}, "States.Timeout"),
        ({}, "no reason was given"),
    ],
)
def test_a_failure_is_told_in_the_programs_words(told: dict[str, str], reason: str) -> None:
    assert _reason(told) == reason


def test_what_is_not_understood_is_refused_before_aws_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "--stack", "Shop", "--sead", "1"])
    assert caught.value.code == 2
    assert "unrecognized arguments: --sead" in capsys.readouterr().err

"""`lens train` on a deployed stack; following one to its end is tested on the emulator.

Covers: training_job, training_photos.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from lambdas.local.cli import main
from lambdas.local.stack.outputs import Deployment
from lambdas.local.stack.training_job import (
    _line,
    _pause,
    _reason,
    parse_options,
    train_deployed,
)
from lens.errors import DeploymentError, UsageError
from lens.storage import FileStorage, open_storage
from tests.support.s3_bucket import BUCKET
from tests.support.tiny_model import png


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


def test_a_job_that_ends_soon_is_told_soon_and_one_of_hours_is_asked_for_rarely() -> None:
    assert [_pause(taken, 10) for taken in (0, 20, 90, 3_600)] == [1, 3, 10, 10]
    assert _pause(20, 0) == 0


def end(deployment: Deployment, name: str) -> None:
    execution = deployment.training_machine.replace(":stateMachine:", ":execution:")
    boto3.client("stepfunctions").stop_execution(executionArn=f"{execution}:{name}")


def test_fields_of_the_recipe_are_handed_on(deployment: Deployment) -> None:
    started(deployment, "--name", "first", "--recipe", "epochs=3", "--recipe", "head-lr=1e-4")
    assert inputs(deployment)["first"] == {"recipe": {"epochs": "3", "head_lr": "1e-4"}}


def test_a_resumed_job_has_all_of_the_earlier_one_and_its_checkpoints(
    deployment: Deployment,
) -> None:
    started(deployment, "--preset", "laptop", "--seed", "3", "--name", "first")
    end(deployment, "first")
    started(deployment, "--resume", "first", "--name", "second")
    end(deployment, "second")
    started(deployment, "--resume", "second", "--name", "third")
    resumed = {"preset": "laptop", "seed": "3", "job": "first", "promote": False}
    assert (inputs(deployment)["second"], inputs(deployment)["third"]) == (resumed, resumed)


def test_a_promotion_is_gone_on_with_and_nothing_is_trained(deployment: Deployment) -> None:
    started(deployment, "--name", "first")
    end(deployment, "first")
    started(deployment, "--promote", "first", "--name", "second")
    assert inputs(deployment)["second"] == {"job": "first", "promote": True}


def test_a_job_that_runs_is_not_resumed(deployment: Deployment) -> None:
    started(deployment, "--name", "first")
    with pytest.raises(UsageError, match="job first is running: --follow first"):
        started(deployment, "--resume", "first")


def test_a_job_that_never_was_is_not_resumed(deployment: Deployment) -> None:
    with pytest.raises(UsageError, match="there is no job nobody"):
        started(deployment, "--resume", "nobody")


def test_photos_are_packed_and_uploaded_once(deployment: Deployment, tmp_path: Path) -> None:
    for n in range(3):
        FileStorage(tmp_path / "photos").write(f"item-{n}/1.png", png(n))
    stack = replace(deployment, artifacts=f"s3://{BUCKET}/artifacts")
    first = started(stack, "--upload", str(tmp_path / "photos"), "--name", "first")
    again = started(stack, "--upload", str(tmp_path / "photos"), "--name", "second")
    place = str(inputs(stack)["first"]["data"])  # type: ignore[index]
    assert inputs(stack)["second"] == {"data": place}
    assert first[0] == f"3 photos are in {place}, in 1 files"
    assert again[0] == f"the photos are in {place} already"
    kept = [info.key for info in open_storage(place).list()]
    assert kept == ["photos-00000.tar", "shards.json"]


def test_a_folder_that_is_not_there_is_not_uploaded(deployment: Deployment) -> None:
    with pytest.raises(UsageError, match="there is no folder /nowhere"):
        started(deployment, "--upload", "/nowhere")
    assert inputs(deployment) == {}


def test_a_machine_that_is_gone_is_one_line(deployment: Deployment) -> None:
    boto3.client("stepfunctions").delete_state_machine(stateMachineArn=deployment.training_machine)
    with pytest.raises(DeploymentError, match="cannot start a training job"):
        started(deployment)


@pytest.mark.parametrize(
    ("state", "given", "line"),
    [
        (
            "Train",
            {"try": {"chosen": {"instance": "ml.p4d.24xlarge", "spot": True}}},
            "training on SageMaker (ml.p4d.24xlarge at spot prices); "
            "losses and recall are in its logs and CloudWatch",
        ),
        ("Promote", {"promotion": {"answer": {}}}, "asking whether the model is better"),
        ("Promote", {"promotion": {"answer": {"behind": 7}}}, ""),
        (
            "Filling",
            {"promotion": {"answer": {"behind": 7}}},
            "embedding the catalog with it: 7 photos are still to come",
        ),
        (
            "Filling",
            {"promotion": {"answer": {"listed": 9_000_000}}},
            "listing the catalog for it: 9000000 files so far",
        ),
        ("Fixed", {}, ""),
    ],
)
def test_a_state_is_told_in_words(state: str, given: object, line: str) -> None:
    assert _line({"name": state, "input": json.dumps(given)}) == line


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


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--sead", "1"], "unrecognized arguments: --sead"),
        (["--recipe", "epochs"], "write it as epochs=20"),
        (["--name", "under_score"], "letters, digits and -, at most 60"),
        (["--name", "n" * 61], "letters, digits and -, at most 60"),
        (["--resume", "a", "--promote", "b"], "not allowed with"),
        (["--data", "s3://a/b", "--upload", "photos"], "not allowed with"),
    ],
)
def test_what_is_not_understood_is_refused_before_aws_is_asked(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "--stack", "Shop", *arguments])
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err

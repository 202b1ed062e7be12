"""The training machine, played against every end that a job and a promotion can have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cdk.config import Config
from cdk.costs import Shop
from cdk.prices import Prices
from cdk.reembedding import reembedding
from tests.aws.inside.training_jobs import JobFailedError, check
from tests.cdk.synthesis import Parts, synthesize, text
from tests.support.state_machine import Execution, TaskError

pytestmark = pytest.mark.slow

LIVE = {"status": "live", "model_id": "m", "reason": "better"}
SPOT, DEMAND, OTHER = "p4d at spot prices", "p4d on demand", "g5 on demand"
TRIED = [SPOT, "g5 at spot prices", DEMAND, OTHER]


@pytest.fixture(scope="module")
def machine(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """With everything that can be tried."""
    settings: dict[str, Any] = {"training_others": "ml.g5.48xlarge", "training_on_demand": True}
    return _definition(Parts(synthesize(root, tmp_path_factory.mktemp("out"), **settings)))


@pytest.fixture(scope="module")
def plain(parts: Parts) -> dict[str, Any]:
    """As deployed without a setting: at spot prices or not at all."""
    return _definition(parts)


def _definition(parts: Parts) -> dict[str, Any]:
    properties = parts.one("AWS::StepFunctions::StateMachine")
    found: dict[str, Any] = json.loads(text(properties["DefinitionString"]))
    return found


def _ended(status: str, secondary: str, **more: str) -> dict[str, Any]:
    return {"TrainingJobStatus": status, "SecondaryStatus": secondary, **more}


def _failed(status: str, secondary: str, **more: str) -> TaskError:
    """A job that Step Functions takes for a failure: its description is the cause."""
    return TaskError("States.TaskFailed", json.dumps(_ended(status, secondary, **more)))


COMPLETED = _ended("Completed", "Completed")
CAPACITY = _failed("Failed", "Failed", FailureReason="CapacityError: Unable to provision")
QUOTA = TaskError("SageMaker.ResourceLimitExceededException", "The account-level limit is 0")
QUOTA_TOO = TaskError("SageMaker.AmazonSageMakerException", "(Error Code: ResourceLimitExceeded)")
# Whether a job that SageMaker stopped is a failure to Step Functions is not documented.
WAITED = _ended("Stopped", "MaxWaitTimeExceeded")
WAITED_TOO = _failed("Stopped", "MaxWaitTimeExceeded")
OVER = _ended("Stopped", "MaxRuntimeExceeded")
OVER_TOO = _failed("Stopped", "MaxRuntimeExceeded")
BROKEN = _failed("Failed", "Failed", FailureReason="AlgorithmError: there is no such preset")


class Played:
    """An execution whose jobs and promotion end as given; `tried` are its jobs' instances."""

    def __init__(
        self,
        machine: dict[str, Any],
        jobs: list[Any],
        answers: Sequence[Any] = (LIVE,),
        **given: Any,
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self._jobs, self._answers = iter(jobs), iter(answers)
        self.execution = Execution(machine, given, self._run)

    def _run(self, state: str, given: dict[str, Any]) -> Any:
        if state == "Train":
            self.requests.append(given)
            return _next(self._jobs)
        self.asked.append(given["Payload"])
        return {"Payload": _next(self._answers)}

    @property
    def tried(self) -> list[str]:
        return [
            f"{each['ResourceConfig']['InstanceType'].split('.')[1]} "
            + ("at spot prices" if each["EnableManagedSpotTraining"] else "on demand")
            for each in self.requests
        ]


def _next(ends: Iterator[Any]) -> Any:
    end = next(ends)
    if isinstance(end, TaskError):
        raise end
    return end


def test_a_job_that_completes_is_promoted(machine: dict[str, Any]) -> None:
    played = Played(machine, [COMPLETED])
    assert (played.execution.status, played.tried) == ("SUCCEEDED", [SPOT])
    assert played.asked == [{"job": "a-job", "before": {}, "patience": 120}]
    assert played.execution.output["promotion"]["answer"] == LIVE


def test_a_limit_is_told_to_what_promotes_with_what_a_photo_costs(
    root: Path, tmp_path: Path
) -> None:
    machine = _definition(Parts(synthesize(root, tmp_path, promote_dollars=50)))
    reason = {"status": "stuck", "reason": "that is more than promote_dollars (50)"}
    played = Played(machine, [COMPLETED], [reason])
    (asked,) = played.asked
    limit = asked["limit"]
    assert limit["dollars"] == 50
    million = reembedding(1_000_000, Config(promote_dollars=50), Shop(), Prices())
    assert limit["dollars_each"] * 1e6 == pytest.approx(million.dollars)
    assert limit["hours_each"] * 1e6 == pytest.approx(million.hours)
    assert played.execution.status == "FAILED"


@pytest.mark.parametrize("none", [CAPACITY, QUOTA, WAITED, WAITED_TOO])
def test_where_an_instance_cannot_be_had_the_next_is_tried_from_the_same_checkpoints(
    machine: dict[str, Any], none: Any
) -> None:
    played = Played(machine, [none, none, none, COMPLETED])
    assert (played.execution.status, played.tried) == ("SUCCEEDED", TRIED)
    assert len({each["TrainingJobName"] for each in played.requests}) == 4
    assert len({each["CheckpointConfig"]["S3Uri"] for each in played.requests}) == 1
    assert {each["HyperParameters"]["job"] for each in played.requests} == {"a-job"}


def test_a_quota_that_is_told_as_any_error_is_asked_for_again_and_then_the_next_is_tried(
    machine: dict[str, Any],
) -> None:
    played = Played(machine, [QUOTA_TOO] * 4 + [COMPLETED])
    assert played.tried == [SPOT] * 4 + ["g5 at spot prices"]
    assert played.execution.status == "SUCCEEDED"


def test_a_call_that_was_throttled_is_made_again(machine: dict[str, Any]) -> None:
    throttled = TaskError("SageMaker.AmazonSageMakerException", "(Error Code: ThrottlingException)")
    played = Played(machine, [throttled, throttled, COMPLETED])
    assert (played.execution.status, played.tried) == ("SUCCEEDED", [SPOT] * 3)
    assert len({each["TrainingJobName"] for each in played.requests}) == 1


def test_where_none_can_be_had_a_sentence_says_what_to_do(machine: dict[str, Any]) -> None:
    execution = Played(machine, [CAPACITY, QUOTA, WAITED, CAPACITY]).execution
    assert execution.status == "FAILED"
    for part in ("ml.p4d.24xlarge at spot prices", "ml.g5.48xlarge on demand", "quota"):
        assert part in execution.cause
    assert "`lens train --resume a-job`" in execution.cause


def test_nothing_is_paid_in_full_unless_a_setting_says_so(plain: dict[str, Any]) -> None:
    played = Played(plain, [CAPACITY])
    assert (played.execution.status, played.tried) == ("FAILED", [SPOT])
    assert "training_on_demand" in played.execution.cause


@pytest.mark.parametrize("over", [OVER, OVER_TOO])
def test_a_job_that_ran_out_of_time_is_not_begun_elsewhere_and_can_be_resumed(
    machine: dict[str, Any], over: Any
) -> None:
    played = Played(machine, [over])
    assert (played.execution.status, played.tried, played.asked) == ("FAILED", [SPOT], [])
    assert "training_hours" in played.execution.cause
    assert "`lens train --resume a-job` goes on with it" in played.execution.cause
    again = Played(machine, [COMPLETED], job="a-job")
    assert again.requests[0]["CheckpointConfig"] == played.requests[0]["CheckpointConfig"]


def test_a_program_that_fails_is_not_begun_again_and_has_the_word(machine: dict[str, Any]) -> None:
    played = Played(machine, [BROKEN])
    assert (played.execution.status, played.tried) == ("FAILED", [SPOT])
    assert played.execution.error == "States.TaskFailed"
    assert "there is no such preset" in played.execution.cause


def test_a_promotion_gets_its_last_answer_back_until_the_model_is_live(
    machine: dict[str, Any],
) -> None:
    filling = [{"status": "filling", "behind": n, "round": 4 - n, "idle": 0} for n in (3, 2, 1)]
    played = Played(machine, [COMPLETED], [*filling, LIVE])
    assert [each["before"] for each in played.asked] == [{}, *filling]
    assert played.execution.path.count("Filling") == 3
    assert played.execution.status == "SUCCEEDED"


def test_a_promotion_that_gets_nowhere_fails_in_the_functions_words(
    machine: dict[str, Any],
) -> None:
    stuck = {"status": "stuck", "reason": "the new model's gallery still lacks a.jpg"}
    execution = Played(machine, [COMPLETED], [stuck]).execution
    assert (execution.status, execution.error) == ("FAILED", "Stuck")
    assert execution.cause == stuck["reason"]


def test_a_model_that_is_not_better_is_no_failure(machine: dict[str, Any]) -> None:
    kept = {"status": "kept", "model_id": "m", "reason": "not better"}
    execution = Played(machine, [COMPLETED], [kept]).execution
    assert (execution.status, execution.path[-1]) == ("SUCCEEDED", "Kept")


def test_a_function_that_fails_now_and_then_is_asked_again(machine: dict[str, Any]) -> None:
    error = TaskError("Lambda.TooManyRequestsException")
    assert Played(machine, [COMPLETED], [error] * 5 + [LIVE]).execution.status == "SUCCEEDED"
    assert Played(machine, [COMPLETED], [error] * 6).execution.status == "FAILED"


def test_a_promotion_alone_trains_nothing(machine: dict[str, Any]) -> None:
    played = Played(machine, [], job="earlier", promote=True)
    assert (played.execution.status, played.requests) == ("SUCCEEDED", [])
    assert played.asked[0]["job"] == "earlier"


def test_every_request_is_one_that_sagemaker_takes(machine: dict[str, Any]) -> None:
    for request in Played(machine, [CAPACITY] * 4).requests:
        known = {**request, "RoleArn": "arn:aws:iam::123456789012:role/job"}
        known["AlgorithmSpecification"] = {
            **request["AlgorithmSpecification"],
            "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8",
        }
        known["OutputDataConfig"] = {"S3OutputPath": "s3://bucket/output/"}
        known["CheckpointConfig"] = {"S3Uri": "s3://bucket/c/", "LocalPath": "/opt/ml/checkpoints"}
        known["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://bucket/data/"
        check(known)
    with pytest.raises(JobFailedError):
        check({**known, "EnableManagedSpotTraining": True})  # the last one is on demand


def test_every_state_can_be_reached(machine: dict[str, Any]) -> None:
    stuck = {"status": "stuck", "reason": ""}
    filling = {"status": "filling", "behind": 1, "round": 1, "idle": 0}
    runs = [
        Played(machine, [CAPACITY, WAITED, COMPLETED], [filling, LIVE]),
        Played(machine, [CAPACITY] * 4),
        Played(machine, [OVER]),
        Played(machine, [BROKEN]),
        Played(machine, [COMPLETED], [stuck]),
        Played(machine, [COMPLETED], [{"status": "kept"}]),
    ]
    assert {state for run in runs for state in run.execution.path} == set(machine["States"])

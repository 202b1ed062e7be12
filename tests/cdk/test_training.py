"""Tests of training.py, training_job.py and containers.py; how the machine ends is in
test_training_machine.py."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cdk.config import ConfigError
from tests.cdk.synthesis import Parts, synthesize, text
from tests.support.state_machine import Execution, TaskError

pytestmark = pytest.mark.slow


def _definition(parts: Parts) -> dict[str, Any]:
    machine = parts.one("AWS::StepFunctions::StateMachine")
    found: dict[str, Any] = json.loads(text(machine["DefinitionString"]))
    return found


def _requests(parts: Parts, **given: Any) -> list[dict[str, Any]]:
    """What SageMaker is asked for, one request an attempt, where no instance can be had."""
    requests: list[dict[str, Any]] = []

    def refuse(state: str, request: Any) -> Any:
        requests.append(request)
        raise TaskError("SageMaker.ResourceLimitExceededException", "your limit is 0")

    train = _definition(parts)["States"]["Train"]
    assert train["Resource"].endswith(":states:::sagemaker:createTrainingJob.sync")
    Execution(_definition(parts), given, refuse)
    return requests


def _job(parts: Parts, **given: Any) -> dict[str, Any]:
    """The first request."""
    return _requests(parts, **given)[0]


def test_training_runs_on_a100s_at_spot_prices_with_checkpoints(parts: Parts) -> None:
    job = _job(parts)
    assert job["ResourceConfig"] == {
        "InstanceType": "ml.p4d.24xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 200,
    }
    assert job["EnableManagedSpotTraining"] is True
    stopping = job["StoppingCondition"]
    assert stopping["MaxWaitTimeInSeconds"] >= stopping["MaxRuntimeInSeconds"] == 12 * 3_600
    assert job["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    assert job["CheckpointConfig"]["S3Uri"].endswith("/training/a-job/checkpoints/")


def test_a_nominated_default_model_is_gone_on_with_on_a_schedule(parts: Parts) -> None:
    rule = parts.one("AWS::Events::Rule", "Trainingpromote")
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert rule["Targets"][0]["Arn"]["Fn::GetAtt"][0].startswith("Functionspromote")


def test_the_execution_names_the_job(parts: Parts) -> None:
    job = _job(parts)
    assert (job["TrainingJobName"], job["HyperParameters"]["job"]) == ("a-job-1", "a-job")


def test_a_resumed_job_has_a_new_name_and_the_checkpoints_of_the_earlier_one(parts: Parts) -> None:
    job = _job(parts, job="earlier", preset="laptop")
    assert (job["TrainingJobName"], job["HyperParameters"]["job"]) == ("a-job-1", "earlier")
    assert job["CheckpointConfig"]["S3Uri"].endswith("/training/earlier/checkpoints/")
    assert job["HyperParameters"]["preset"] == "laptop"


def test_fields_of_the_recipe_are_hyperparameters_and_change_nothing_else(parts: Parts) -> None:
    settings = _job(parts, recipe={"epochs": "3", "artifacts": "s3://other"})["HyperParameters"]
    assert settings["epochs"] == "3"
    assert settings["artifacts"] == _job(parts)["HyperParameters"]["artifacts"]


def test_the_program_may_read_what_it_reads_when_it_delivers(parts: Parts) -> None:
    """Which format to write is among it: without, a job fails when all is trained."""
    statements = str(parts.named("AWS::IAM::Policy", "TrainingJobRole"))
    for key in ("current.json", "formats.json", "models/*", "training/*"):
        assert f"/{key}" in statements, key


def test_the_program_is_the_bundle_in_script_mode(parts: Parts) -> None:
    settings = _job(parts)["HyperParameters"]
    assert settings["sagemaker_program"] == "train.py"
    assert settings["sagemaker_submit_directory"].startswith("s3://")
    assert settings["sagemaker_submit_directory"].endswith(".gz")
    assert all(isinstance(value, str) for value in settings.values())
    assert settings["sagemaker_torch_distributed_enabled"] == "true"


def test_losses_and_recall_reach_cloudwatch(parts: Parts) -> None:
    definitions = _job(parts)["AlgorithmSpecification"]["MetricDefinitions"]
    assert definitions == [{"Name": "loss", "Regex": "loss ([0-9.]+)"}]


def _container(root: Path, out: Path, **settings: Any) -> str:
    job = _job(Parts(synthesize(root, out, **settings)))
    return text(job["AlgorithmSpecification"]["TrainingImage"])


def test_the_container_is_awss_own_for_pytorch_wherever_it_is_deployed(
    root: Path, tmp_path: Path, parts: Parts
) -> None:
    anywhere = text(_job(parts)["AlgorithmSpecification"]["TrainingImage"])
    assert re.fullmatch(
        r"<TrainingRegistries\w*\.<AWS::Region>\.account>\.dkr\.ecr\.<AWS::Region>"
        r"\.<AWS::URLSuffix>/pytorch-training:2\.\d+\.0-gpu-py312",
        anywhere,
    )
    milan = _container(root, tmp_path, region="eu-south-1")
    assert milan.startswith("692866216735.dkr.ecr.")
    assert milan.endswith("-gpu-py312")


def test_an_instance_without_a_gpu_gets_the_container_without_cuda(
    root: Path, tmp_path: Path
) -> None:
    assert _container(root, tmp_path, training_instance="ml.m5.xlarge").endswith("-cpu-py312")


def test_a_region_without_a_container_is_refused_unless_one_is_named(
    root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"mars-north-1.*training_image"):
        _container(root, tmp_path / "a", region="mars-north-1")
    own = {"region": "mars-north-1", "training_image": "1.dkr.ecr.mars-north-1.example/torch:1"}
    assert _container(root, tmp_path / "b", **own).endswith("/torch:1")


@pytest.mark.parametrize("spot", [True, False])
def test_instances_data_and_prices_are_settings(root: Path, tmp_path: Path, spot: bool) -> None:
    parts = Parts(
        synthesize(
            root,
            tmp_path,
            training_instance="ml.g5.xlarge",
            training_count=2,
            training_spot=spot,
            training_image="123.dkr.ecr.eu-west-1.amazonaws.com/mine:1",
            training_data="s3://photos/in-shop",
        )
    )
    job = _job(parts)
    assert job["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"
    assert ("MaxWaitTimeInSeconds" in job["StoppingCondition"]) is spot
    assert job["AlgorithmSpecification"]["TrainingImage"].endswith("/mine:1")
    (channel,) = job["InputDataConfig"]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "s3://photos/in-shop"

"""Training: the state machine runs the program on SageMaker and returns its result."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lens.storage import Storage
from tests.aws.inside.training_jobs import JobFailedError, check
from tests.aws.shop import Shop, eventually, garment
from tests.support.tiny_model import write_tiny_model


def _execute(shop: Shop, name: str, **given: Any) -> dict[str, Any]:
    """Run the state machine to its end."""
    client = shop.aws("stepfunctions")
    execution = client.start_execution(
        stateMachineArn=shop.deployment.outputs["TrainingMachine"],
        name=name,
        input=json.dumps(given),
    )["executionArn"]

    def ended() -> dict[str, Any]:
        told: dict[str, Any] = client.describe_execution(executionArn=execution)
        return told if told["status"] != "RUNNING" else {}

    return eventually(ended, seconds=90)


@pytest.mark.aws
def test_a_training_job_reads_its_photos_and_leaves_its_report_model_and_checkpoints(
    shop: Shop, artifacts: Storage
) -> None:
    for n in range(3):
        artifacts.write(f"training/data/{n}.jpg", b"a photo")

    told = _execute(shop, "first-run", seed=3)

    assert told["status"] == "SUCCEEDED", told
    report = json.loads(artifacts.read("training/first-run/report.json")[0])
    assert report == {"photos": 3, "seed": 3, "preset": "inshop"}
    kept = {info.key for info in artifacts.list("training/")}
    assert "training/output/first-run/output/model.tar.gz" in kept
    assert "training/first-run/checkpoints/last.pt" in kept
    assert json.loads(told["output"])["promotion"]["answer"]["status"] == "kept"


@pytest.mark.aws
def test_a_better_model_fills_its_gallery_and_goes_live_in_one_switch(
    shop: Shop, artifacts: Storage
) -> None:
    shop.put("promoted/one.jpg", garment(500))
    eventually(lambda: shop.shows(garment(500), "promoted/one.jpg"))
    before = shop.visitor.health()["model_id"]
    model_id = write_tiny_model(artifacts).model_id
    artifacts.write("training/better", model_id.encode())

    told = shop.lens("train", "--preset", "better", "--name", "better-run", "--margin", "0.01")

    steps = ["training on SageMaker", "asking whether", "embedding the catalog", "asking whether"]
    places = [told.index(steps[0])]
    for step in steps[1:]:
        places.append(told.index(step, places[-1]))
    assert f"{model_id} is live" in told and "training/better-run/report.html" in told
    assert model_id != before
    # A warm searcher looks for a newer commit during a search, so search first, then check.
    eventually(
        lambda: (
            shop.shows(garment(500), "promoted/one.jpg")
            and shop.visitor.health()["model_id"] == model_id
        )
    )
    assert model_id in shop.lens("status")


@pytest.mark.aws
def test_a_training_job_that_fails_fails_its_execution_with_the_programs_words(shop: Shop) -> None:
    told = _execute(shop, "broken-run", preset="broken")
    assert told["status"] == "FAILED"
    assert told["error"] == "States.TaskFailed"
    assert "there is no such preset" in told["cause"]
    line = shop.lens("train", "--follow", "broken-run", status=1).splitlines()[-1]
    assert line.startswith("lens: job broken-run ended failed: ")
    assert "there is no such preset" in line


@pytest.mark.aws
def test_a_training_job_may_write_models_and_nothing_of_the_gallery(shop: Shop) -> None:
    bucket = shop.deployment.outputs["ArtifactsLocation"].removeprefix("s3://")
    allowed = shop.simulate("JobRole", f"arn:aws:s3:::{bucket}/")
    assert allowed("s3:PutObject", "models/a/model.onnx")
    assert allowed("s3:PutObject", "training/a/report.json")
    for key in ("current.json", "heads/a.json", "commits/a/1.json", "segments/a/b.npz"):
        assert not allowed("s3:PutObject", key), key
    assert not allowed("s3:DeleteObject", "models/a/model.onnx")


@pytest.mark.aws
def test_the_state_machine_may_start_jobs_with_its_own_role_only(shop: Shop) -> None:
    allowed = shop.simulate("MachineRole", "")
    job = "arn:aws:sagemaker:us-east-1:000000000000:training-job/any"
    for action in ("CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob", "AddTags"):
        assert allowed(f"sagemaker:{action}", job)
    assert not allowed("sagemaker:DeleteModel", job)
    assert not allowed("iam:PassRole", "arn:aws:iam::000000000000:role/admin")


def _request(**changes: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "a-job",
        "RoleArn": "arn:aws:iam::123456789012:role/job",
        "AlgorithmSpecification": {
            "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8",
            "TrainingInputMode": "File",
        },
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output/"},
        "ResourceConfig": {
            "InstanceType": "ml.p4d.24xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 200,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3_600, "MaxWaitTimeInSeconds": 7_200},
        "EnableManagedSpotTraining": True,
        **changes,
    }


def test_a_well_formed_training_request_is_accepted() -> None:
    check(_request())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"TrainingJobName": "under_score"}, "TrainingJobName"),
        ({"RoleArn": "job"}, "RoleArn"),
        ({"HyperParameters": {"seed": 1}}, "strings"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60}}, "spot"),
        ({"EnableManagedSpotTraining": False}, "spot"),
        ({"OutputDataConfig": {"S3OutputPath": "https://s3/bucket"}}, "s3://"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/tmp"}}, "/opt/ml"),
        ({"Spot": True}, "unknown"),
    ],
)
def test_a_training_request_that_sagemaker_would_refuse_is_refused(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(JobFailedError, match=complaint):
        check(_request(**changes))

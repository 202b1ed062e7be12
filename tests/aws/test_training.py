"""Training: the state machine runs the real program on SageMaker, whatever becomes of its
instances, and the program's own verdict decides about the promotion.

A job is a process here (inside/training_jobs.py), on this Python's torch, with the deployed bundle.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lens.pipeline.verdict import read_verdict
from lens.storage import Storage
from tests.aws.inside.training_jobs import JobFailedError, check
from tests.aws.shop import Shop, eventually, garment
from tests.support.tiny_model import write_tiny_model

# A few steps of the laptop's recipe, on photos small enough.
FEW = {
    "size": "64", "embedding_dim": "16", "color_dim": "8", "blocks": "2", "identities": "4",
    "photos_each": "2", "validation": "0.25", "epochs": "3",
}  # fmt: skip
RECIPE = [word for name, value in FEW.items() for word in ("--recipe", f"{name}={value}")]
MINUTES = 30 * 60.0  # a limit for what hangs, not for what is slow


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight training and four test items, as In-Shop lays them out."""
    pytest.importorskip("torch", reason="the job needs torch: pip install '.[train]'")
    from tests.sagemaker_training.small_catalogs import draw_inshop

    return draw_inshop(tmp_path_factory.mktemp("photos"), train=8, test=4)


def _train(shop: Shop, *arguments: str, status: int = 0) -> str:
    return shop.lens("train", *arguments, status=status, seconds=MINUTES)


def _epochs(log: str) -> list[int]:
    """The epochs a training's log says are done."""
    return [int(number) for number in re.findall(r"epoch (\d+)/3 done", log)]


def _uploading(shop: Shop, seen: Callable[[], Any]) -> Any:
    """Upload a photo every half second until something is seen; what was seen."""
    number = 0

    def look() -> Any:
        nonlocal number
        number += 1
        time.sleep(0.5)
        shop.put(f"steady/{number}.jpg", garment(20_000 + number))
        return seen()

    return eventually(look, seconds=MINUTES)


@pytest.mark.aws
def test_the_real_program_ends_well_without_instances_through_a_kill_and_goes_live(
    shop: Shop, artifacts: Storage, photos: Path
) -> None:
    shop.put("promoted/one.jpg", garment(500))
    eventually(lambda: shop.shows(garment(500), "promoted/one.jpg"))
    before = shop.visitor.health()["model_id"]
    shop.decide("first-run", "capacity", "waited", "quota", "spot")

    told = _train(
        shop, "--preset", "laptop", *RECIPE, "--upload", str(photos), "--margin", "-1",
        "--name", "first-run",
    )  # fmt: skip

    steps = [
        "48 photos are in",
        *(f"training on SageMaker (ml.{each})" for each in (
            "p4d.24xlarge at spot prices", "g5.xlarge at spot prices", "p4d.24xlarge on demand",
            "g5.xlarge on demand",
        )),
        "asking whether the model is better",
        "embedding the catalog with it",
        " is live: ",
    ]  # fmt: skip
    places = [told.index(steps[0])]
    for step in steps[1:]:
        places.append(told.index(step, places[-1]))
    killed, resumed = shop.training_log("first-run").split("== ")[1:]
    assert killed.startswith("first-run-4-0") and "epoch 1/3 done" in killed
    assert "exported" not in killed
    assert resumed.startswith("first-run-4-1") and "exported" in resumed
    # How many epochs a host ends before its instance is taken differs; none is done again.
    done = int(resumed.split("resuming after epoch ")[1].split(",")[0])
    assert 1 <= done <= 3
    assert _epochs(resumed) == list(range(done + 1, 4))
    verdict = read_verdict(artifacts, "first-run")
    assert verdict.passed and verdict.live == before and verdict.model_id != before
    kept = {info.key for info in artifacts.list("training/")}
    assert {
        "training/first-run/report.html",
        "training/first-run/run.json",
        "training/first-run/checkpoints/epoch_3.pth",
        "training/output/first-run-4/output/model.tar.gz",
    } <= kept
    # A warm searcher looks for a newer commit during a search, so search first, then check.
    eventually(
        lambda: (
            shop.shows(garment(500), "promoted/one.jpg")
            and shop.visitor.health()["model_id"] == verdict.model_id
        )
    )
    assert verdict.model_id in shop.lens("status")
    told = _train(shop, "--upload", str(photos), "--name", "again", "--no-wait", "--preset", "none")
    assert "the photos are in" in told and "already" in told


@pytest.mark.aws
def test_a_job_that_ran_out_of_time_says_so_and_is_resumed_by_one_command(
    shop: Shop, artifacts: Storage, photos: Path
) -> None:
    shop.decide("slow-run", "time")
    given = ("--preset", "laptop", *RECIPE, "--upload", str(photos), "--margin", "2", "--seed", "3")
    told = _train(shop, *given, "--name", "slow-run", status=1).splitlines()[-1]
    assert "stopped after 12 hours" in told and "`lens train --resume slow-run`" in told

    told = _train(shop, "--resume", "slow-run", "--name", "slow-run-again")

    resumed = shop.training_log("slow-run-again")
    # On a fast host its time may be over only after the last epoch: then it is judged alone.
    assert "resuming after epoch" in resumed
    assert "epoch 3/3 done" in resumed or "resuming after epoch 3" in resumed
    run = json.loads(artifacts.read("training/slow-run/run.json")[0])
    assert (run["seed"], len(run["history"])) == (3, 3)
    assert "the live model stays: " in told and "training/slow-run/report.html" in told


@pytest.mark.aws
def test_a_promotion_ends_while_the_shop_uploads_all_the_time(
    shop: Shop, artifacts: Storage
) -> None:
    model_id = _judged(artifacts, "steady-run", better=True)
    client = shop.aws("stepfunctions")
    execution = client.start_execution(
        stateMachineArn=shop.deployment.outputs["TrainingMachine"],
        name="steady-promotion",
        input=json.dumps({"job": "steady-run", "promote": True}),
    )["executionArn"]

    def ended() -> dict[str, Any]:
        told: dict[str, Any] = client.describe_execution(executionArn=execution)
        return told if told["status"] != "RUNNING" else {}

    told = _uploading(shop, ended)

    assert told["status"] == "SUCCEEDED", told
    answer = json.loads(told["output"])["promotion"]["answer"]
    assert (answer["status"], answer["model_id"]) == ("live", model_id)
    assert json.loads(artifacts.read("current.json")[0])["live"] == model_id


@pytest.mark.aws
def test_a_training_job_that_fails_fails_its_execution_with_the_programs_words(
    shop: Shop, photos: Path
) -> None:
    _train(shop, "--preset", "none", "--upload", str(photos), "--name", "broken-run", status=1)
    line = shop.lens("train", "--follow", "broken-run", status=1).splitlines()[-1]
    assert line.startswith("lens: job broken-run ended failed: ")
    assert "invalid choice: 'none'" in line


def _judged(artifacts: Storage, job: str, *, better: bool) -> str:
    """Another model, of which a job's gate has said this."""
    model_id = write_tiny_model(artifacts).model_id
    verdict = {
        "format": 1,
        "passed": better,
        "reason": "a test says so",
        "model_id": model_id,
        "live": None,
        "protocol": "benchmark",
        "candidate_recall_at_1": float(better),
        "live_recall_at_1": 0.5,
        "margin": 0.0,
    }
    artifacts.write(f"training/{job}/verdict.json", json.dumps(verdict).encode())
    return model_id


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

"""The training jobs: runs a job as SageMaker does, as a process on this machine.

The program gets the environment of AWS's training toolkit, but without /opt/ml: SM_MODEL_DIR and
similar variables name folders of the job, and the checkpoints' folder lies beside them as there.
What is in it goes to the checkpoint prefix while the program runs, as on SageMaker.

A test may decide a job's fate: in the file `fates/{job}` each line is one, taken by the next call.

    quota      SageMaker does not take the request: no quota for such an instance
    capacity   the job fails at its start: no such instance is free
    waited     the job ends unstarted: no spot instance came in time
    spot       with the first checkpoint the instance is taken away; the job begins again on another
    time       with the first checkpoint MaxRuntimeInSeconds is over, and Step Functions is told
               that the job stopped
    time, failed   the same, and Step Functions takes it for a failure
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/.+")
_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[\w./-]+:[\w.-]+")
_DATA = ("S3Uri", "S3DataType")
_REQUIRED = (
    "TrainingJobName", "RoleArn", "AlgorithmSpecification", "OutputDataConfig",
    "ResourceConfig", "StoppingCondition",
)  # fmt: skip
_KNOWN = {
    *_REQUIRED, "HyperParameters", "InputDataConfig", "EnableManagedSpotTraining",
    "CheckpointConfig", "Tags", "Environment", "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption", "RetryStrategy", "VpcConfig",
}  # fmt: skip

_POLL_SECONDS = 0.2
_LOOK_SECONDS = 0.01
_MET_RUNNING = ("spot", "time")  # the fates of a program with its first checkpoint
_GRACE_SECONDS = 120
_TIME_OVER = -1000  # no status that a process ends with

Credentials = Callable[[str, str], dict[str, str]]


class JobFailedError(Exception):
    """The job was refused, or ran and failed; `code` is what Step Functions calls the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TrainingJobs:
    """Runs one job to its end."""

    def __init__(self, python: str, credentials: Credentials, fates: Path) -> None:
        """`python` has the program's libraries; `credentials` are a role's, for a named session."""
        self._python = python
        self._credentials = credentials
        self._fates = fates

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """The description of the job that has ended; JobFailedError if it is refused or fails."""
        check(request)
        name = request["TrainingJobName"]
        fate = self._fate(name)
        if fate == "quota":
            raise JobFailedError("SageMaker.ResourceLimitExceededException", _QUOTA)
        if fate == "capacity":
            raise _failed(name, "CapacityError: Unable to provision requested ML compute capacity.")
        if fate == "waited":
            return _description(name, "Stopped", SecondaryStatus="MaxWaitTimeExceeded")
        here = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
        credentials = {
            **self._credentials(request["RoleArn"], f"SageMaker-{name}"[:64]),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": here,
        }
        s3 = boto3.session.Session(
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            region_name="us-east-1",
        ).client("s3", endpoint_url=here)
        if fate == "spot":  # another instance has nothing of this one but the checkpoint prefix
            with tempfile.TemporaryDirectory(prefix="training-") as scratch:
                self._train(request, Path(scratch), s3, credentials, fate)
            fate = ""
        with tempfile.TemporaryDirectory(prefix="training-") as scratch:
            folder = Path(scratch)
            status = self._train(request, folder, s3, credentials, fate.partition(",")[0])
            reason = _failure(folder, status)
            output = f"{request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{name}/output"
            archive = shutil.make_archive(str(folder / "made/model"), "gztar", folder / "model")
            _upload(s3, Path(archive).parent, output)
        artifacts = {"ModelArtifacts": {"S3ModelArtifacts": f"{output}/model.tar.gz"}}
        if status == _TIME_OVER:
            told = _description(name, "Stopped", SecondaryStatus="MaxRuntimeExceeded", **artifacts)
            if fate.endswith("failed"):
                raise JobFailedError("States.TaskFailed", json.dumps(told))
            return told
        if reason:
            raise _failed(name, reason, **artifacts)
        return _description(name, "Completed", SecondaryStatus="Completed", **artifacts)

    def _fate(self, name: str) -> str:
        """What a test wants to happen to the next job of this execution."""
        file = self._fates / name.rpartition("-")[0]
        if not file.is_file():
            return ""
        first, *rest = file.read_text().splitlines()
        if rest:
            file.write_text("\n".join(rest))
        else:
            file.unlink()
        return first

    def _train(
        self,
        request: dict[str, Any],
        folder: Path,
        s3: Any,
        credentials: dict[str, str],
        fate: str,
    ) -> int:
        """The program's status, or _TIME_OVER."""
        hyperparameters: dict[str, str] = request.get("HyperParameters", {})
        channels = {}
        for each in ("model", "output", "output/data", "checkpoints", "code", "made"):
            (folder / each).mkdir()
        for channel in request.get("InputDataConfig", []):
            place = folder / "input" / channel["ChannelName"]
            place.mkdir(parents=True)
            _download(s3, channel["DataSource"]["S3DataSource"]["S3Uri"], place)
            channels[f"SM_CHANNEL_{channel['ChannelName'].upper()}"] = str(place)
        bucket, key = _place(hyperparameters["sagemaker_submit_directory"])
        bundle = folder / "sourcedir.tar.gz"
        s3.download_file(bucket, key, str(bundle))
        with tarfile.open(bundle) as archive:
            archive.extractall(folder / "code", filter="data")
        if checkpoints := request.get("CheckpointConfig"):
            _download(s3, checkpoints["S3Uri"], folder / "checkpoints")
        given = {k: v for k, v in hyperparameters.items() if not k.startswith("sagemaker_")}
        arguments = [text for k, v in given.items() for text in (f"--{k}", v)]
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **credentials,
            **channels,
            **request.get("Environment", {}),
            **{f"SM_HP_{k.upper()}": v for k, v in given.items()},
            "TRAINING_JOB_NAME": request["TrainingJobName"],
            "SM_MODEL_DIR": str(folder / "model"),
            "SM_OUTPUT_DIR": str(folder / "output"),
            "SM_OUTPUT_DATA_DIR": str(folder / "output/data"),
            "SM_HPS": json.dumps(given),
            "SM_USER_ARGS": json.dumps(arguments),
            "SM_NUM_GPUS": "0",
            "SM_NUM_CPUS": str(os.cpu_count() or 1),
            "SM_HOSTS": '["algo-1"]',
            "SM_CURRENT_HOST": "algo-1",
        }
        checkpoints = _Checkpoints(s3, folder / "checkpoints", request)
        deadline = time.monotonic() + request["StoppingCondition"]["MaxRuntimeInSeconds"]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                [self._python, hyperparameters["sagemaker_program"], *arguments],
                cwd=folder / "code",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            while process.poll() is None:
                if fate in _MET_RUNNING:
                    # It must not end before its fate: so there are many looks, which copy nothing,
                    # and it stands still while its checkpoint is copied.
                    time.sleep(_LOOK_SECONDS)
                    if not checkpoints.waiting:
                        continue
                    process.send_signal(signal.SIGSTOP)
                    try:
                        checkpoints.upload()
                    except BaseException:
                        process.kill()
                        raise
                else:
                    time.sleep(_POLL_SECONDS)
                    checkpoints.upload()
                if fate == "spot":
                    process.kill()
                    break
                if fate == "time" or time.monotonic() > deadline:
                    process.send_signal(signal.SIGTERM)
                    process.send_signal(signal.SIGCONT)
                    try:
                        process.wait(_GRACE_SECONDS)
                    except subprocess.TimeoutExpired:
                        process.kill()
                    checkpoints.upload()
                    self._keep_log(folder, request["TrainingJobName"])
                    return _TIME_OVER
        checkpoints.upload()
        self._keep_log(folder, request["TrainingJobName"])
        return process.returncode

    def _keep_log(self, folder: Path, name: str) -> None:
        """For the test, as CloudWatch has it: a stream for each instance."""
        kept = self._fates.with_name("training-logs")
        kept.mkdir(exist_ok=True)
        number = len(list(kept.glob(f"{name}-*.log")))
        shutil.copy(folder / "log", kept / f"{name}-{number}.log")


class _Checkpoints:
    """The checkpoints' folder, which SageMaker copies to S3 while the program runs. The program
    names a file so only once it is whole."""

    def __init__(self, s3: Any, folder: Path, request: dict[str, Any]) -> None:
        self._s3 = s3
        self._folder = folder
        self._uri = request.get("CheckpointConfig", {}).get("S3Uri")
        self._known: dict[Path, tuple[int, int]] = {}
        self._began = self._there()

    def upload(self) -> None:
        """Copy what is new; a file that is being written has another name until it is whole."""
        for file, state in self._there().items():
            if self._uri and self._began.get(file) != state and self._known.get(file) != state:
                bucket, prefix = _place(self._uri)
                with suppress(FileNotFoundError):
                    self._s3.upload_file(str(file), bucket, f"{prefix.rstrip('/')}/{file.name}")
                    self._known[file] = state

    @property
    def waiting(self) -> bool:
        """Whether an epoch's lies there, copied or not."""
        return any(file.name.startswith("epoch_") for file in self._there().keys() - self._began)

    def _there(self) -> dict[Path, tuple[int, int]]:
        there = {}
        for file in self._folder.glob("*.pth"):
            with suppress(FileNotFoundError):  # the program keeps the newest
                there[file] = (file.stat().st_mtime_ns, file.stat().st_size)
        return there


def check(request: dict[str, Any]) -> None:
    """Refuse requests that SageMaker's CreateTrainingJob refuses, according to its reference."""
    _need(all(name in request for name in _REQUIRED), f"needs {', '.join(_REQUIRED)}")
    _need(request.keys() <= _KNOWN, f"unknown: {sorted(request.keys() - _KNOWN)}")
    _need(_NAME.fullmatch(request["TrainingJobName"]), "TrainingJobName: letters, digits, -; ≤ 63")
    _need(_ROLE.fullmatch(request["RoleArn"]), "RoleArn is not a role's ARN")
    algorithm = request["AlgorithmSpecification"]
    _need(_IMAGE.fullmatch(algorithm.get("TrainingImage", "")), "TrainingImage is not in ECR")
    _need(algorithm.get("TrainingInputMode") in {"File", "FastFile", "Pipe"}, "TrainingInputMode")
    _need_place(request["OutputDataConfig"].get("S3OutputPath"))
    resources = request["ResourceConfig"]
    _need(str(resources.get("InstanceType", "")).startswith("ml."), "InstanceType: ml.…")
    for name in ("InstanceCount", "VolumeSizeInGB"):
        _need(isinstance(resources.get(name), int) and resources[name] > 0, f"{name}: a number")
    stopping = request["StoppingCondition"]
    runtime, wait = stopping.get("MaxRuntimeInSeconds"), stopping.get("MaxWaitTimeInSeconds")
    _need(isinstance(runtime, int) and 1 <= runtime <= 2_419_200, "MaxRuntimeInSeconds: ≤ 28 days")
    if request.get("EnableManagedSpotTraining"):
        _need(isinstance(wait, int) and wait >= runtime, "spot: MaxWaitTime ≥ MaxRuntime")
    else:
        _need(wait is None, "MaxWaitTimeInSeconds is for spot training")
    values = request.get("HyperParameters", {})
    _need(all(isinstance(value, str) for value in values.values()), "HyperParameters are strings")
    for channel in request.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        _need(channel.get("ChannelName") and all(name in source for name in _DATA), "a channel")
        _need_place(source["S3Uri"])
    if "CheckpointConfig" in request:
        _need_place(request["CheckpointConfig"].get("S3Uri"))
        local = request["CheckpointConfig"].get("LocalPath", "/opt/ml/checkpoints")
        _need(local.startswith("/opt/ml/"), "LocalPath is under /opt/ml/")
    for tag in request.get("Tags", []):
        _need(tag.keys() == {"Key", "Value"}, "Tags: Key and Value")


def _need(met: object, what: str) -> None:
    if not met:
        raise JobFailedError("SageMaker.AmazonSageMakerException", f"ValidationException: {what}")


def _need_place(uri: object) -> None:
    _need(isinstance(uri, str) and uri.startswith("s3://"), f"{uri} is not s3://bucket/prefix")


_QUOTA = (
    "The account-level service limit for this instance type is 0 Instances, with current "
    "utilization of 0 Instances. (Service: AmazonSageMaker; Error Code: ResourceLimitExceeded)"
)


def _description(name: str, status: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}"
    ended = {"TrainingJobName": name, "TrainingJobArn": arn, "TrainingJobStatus": status}
    return {**ended, **more}


def _failed(name: str, reason: str, **more: Any) -> JobFailedError:
    told = _description(name, "Failed", SecondaryStatus="Failed", FailureReason=reason, **more)
    return JobFailedError("States.TaskFailed", json.dumps(told))


def _failure(folder: Path, status: int) -> str:
    """The reason in SageMaker's words; empty if the job did not fail."""
    if status == 0:
        return ""
    told = folder / "output/failure"
    reason = told if told.exists() else folder / "log"
    tail = reason.read_text(errors="replace")[-700:]
    return f"AlgorithmError: {tail}, exit code: {status}"


def _place(uri: str) -> tuple[str, str]:
    _need_place(uri)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _download(s3: Any, uri: str, folder: Path) -> None:
    bucket, prefix = _place(uri)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            name = item["Key"].removeprefix(prefix).strip("/")
            if name:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, item["Key"], str(folder / name))


def _upload(s3: Any, folder: Path, uri: str) -> None:
    bucket, prefix = _place(uri)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}"
            s3.upload_file(str(path), bucket, key)

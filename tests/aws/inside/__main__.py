"""Runs MiniStack with its gaps filled, until standard input closes.

    python -m tests.aws.inside CHECKOUT IMAGE_PYTHON TRAINING_PYTHON

When the process that started it fails, is interrupted or is killed, the pipe closes, and the
emulator ends with all processes that it started. MiniStack itself can hang on SIGTERM.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

from ministack import app  # type: ignore[import-not-found]
from ministack.core import iam_evaluator  # type: ignore[import-not-found]
from ministack.core.lambda_runtime import (  # type: ignore[import-not-found]
    execution_credentials,
)
from ministack.services import (  # type: ignore[import-not-found]
    lambda_svc,
    s3,
    stepfunctions,
    sts,
)
from ministack.services.cloudformation import provisioners  # type: ignore[import-not-found]

from tests.aws.inside.image import Image
from tests.aws.inside.image_functions import ImageFunctions
from tests.aws.inside.training_jobs import JobFailedError, TrainingJobs

_TRAINING = "states:::sagemaker:createTrainingJob.sync"
ACCOUNT = "000000000000"


def main() -> None:
    """Serve until standard input ends."""
    checkout, python, training = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    _run_images_without_docker(ImageFunctions(Image(checkout), python))
    _run_training_jobs(TrainingJobs(training, _session, Path.cwd() / "fates"))
    _keep_bucket_tags()
    _refuse_to_delete_full_buckets()
    _judge_as_aws_does()
    sys.argv = sys.argv[:1]
    app.main()


def _end_with_standard_input() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def _run_images_without_docker(functions: ImageFunctions) -> None:
    def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        config = function.get("config") or function
        return functions.invoke(config, execution_credentials(config), event, request_id)

    lambda_svc._execute_function_docker = execute


def _run_training_jobs(jobs: TrainingJobs) -> None:
    """MiniStack has no SageMaker; Step Functions uses nothing else of it."""
    invoke = stepfunctions._invoke_resource

    def invoke_or_train(resource: str, given: dict[str, Any]) -> Any:
        if not resource.endswith(_TRAINING):
            return invoke(resource, given)
        try:
            return jobs.run(given)
        except JobFailedError as error:
            raise stepfunctions._ExecutionError(error.code, str(error)) from error

    stepfunctions._invoke_resource = invoke_or_train


def _session(role_arn: str, name: str) -> dict[str, str]:
    """A role's credentials, as SageMaker gives them to a job; with AUTH its policy is enforced."""
    if not app.AUTH:
        return {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    role = role_arn.rpartition("/")[2]
    access_key, secret, token = f"ASIA{uuid.uuid4().hex[:16].upper()}", "secret", uuid.uuid4().hex
    sts.register_session(
        access_key,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
            "UserId": f"{role}:{name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }


def _keep_bucket_tags() -> None:
    """CDK empties a bucket only if its tag says so, and MiniStack's CloudFormation drops tags."""
    apply = provisioners._s3_apply_configurations

    def apply_with_tags(name: str, given: dict[str, Any], before: Any = None) -> None:
        apply(name, given, before)
        if tags := given.get("Tags"):
            s3._bucket_tags[name] = {tag["Key"]: tag["Value"] for tag in tags}

    provisioners._s3_apply_configurations = apply_with_tags


def _refuse_to_delete_full_buckets() -> None:
    """As CloudFormation does: so `cdk destroy` proves that the stack empties its buckets."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    delete = handlers["delete"]

    def delete_if_empty(name: str, given: dict[str, Any]) -> None:
        if name in s3._buckets and (s3._buckets[name]["objects"] or s3._object_versions.get(name)):
            raise ValueError(f"The bucket {name} is not empty")
        delete(name, given)

    handlers["delete"] = delete_if_empty


def _judge_as_aws_does() -> None:
    """Evaluate policies as if over TLS, which loopback does not have. SQS's batch actions need the
    permission for a single message; they have no permission of their own."""
    evaluate = iam_evaluator.evaluate

    def evaluate_as_aws(context: Any, *policies: Any) -> Any:
        action = context.action
        if action.startswith("sqs:"):
            action = action.removesuffix("Batch")
        context = dataclasses.replace(context, action=action, secure_transport=True)
        return evaluate(context, *policies)

    iam_evaluator.evaluate = evaluate_as_aws


if __name__ == "__main__":
    main()

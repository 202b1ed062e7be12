"""The training job: an execution of a deployed stack's machine, started and followed to its end."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lambdas.local.stack.outputs import Deployment
from lambdas.local.training import TrainingError
from lens.errors import DeploymentError, LensError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# The state machine's states (cdk/training.py), as text for the person who waits.
_STATES = {
    "Train": "training on SageMaker; losses and recall are in its logs and in CloudWatch",
    "Promote": "asking whether the model is better",
    "Fill": "embedding the catalog with it",
}
_ENDINGS = {"live": "{model_id} is live: {reason}", "kept": "the live model stays: {reason}"}
Say = Callable[[str], None]


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Which job to start or follow; a wrong option ends the process, as in every command."""
    parser = argparse.ArgumentParser(
        prog="lens train --stack NAME",
        description="Train on SageMaker, and make the model live if it is better.",
        epilog="with --output it trains here instead: `lens train --output FOLDER --help`",
        allow_abbrev=False,
    )
    parser.add_argument("--preset", metavar="NAME", help="the recipe (inshop)")
    parser.add_argument("--seed", type=int, metavar="N", help="of whatever is random (0)")
    parser.add_argument("--margin", type=float, metavar="R", help="Recall@1 to be better by (0)")
    parser.add_argument("--data", metavar="s3://...", help="photos (the setting training_data)")
    parser.add_argument("--name", metavar="JOB", help="the job's name (preset and time)")
    parser.add_argument("--follow", metavar="JOB", help="start nothing, follow this one")
    parser.add_argument("--no-wait", action="store_true", help="start it and return")
    return parser.parse_args(arguments)


def train_deployed(
    deployment: Deployment, options: argparse.Namespace, say: Say, *, seconds: float = 10
) -> None:
    """Start a job, or follow a running one, asking for its state every `seconds` seconds.

    Raises TrainingError with the program's own message when the job fails. A job that is no longer
    followed goes on.
    """
    with _explained("start a training job", "states:StartExecution", options.name):
        from lens import aws

        client = aws.client("stepfunctions")
        name = options.follow or _start(client, deployment.training_machine, options)
    say(f"job {name}; `lens train --stack {deployment.stack} --follow {name}` follows it")
    if options.no_wait:
        return
    with _explained("follow a training job", "states:GetExecutionHistory", name):
        told = _follow(client, _execution(deployment.training_machine, name), say, seconds)
    if told["status"] != "SUCCEEDED":
        raise TrainingError(f"job {name} ended {told['status'].lower()}: {_reason(told)}")
    answer = json.loads(told["output"])["promotion"]["answer"]
    say(_ENDINGS[answer["status"]].format(**answer))
    say(f"report: {deployment.artifacts}/training/{name}/report.html")


def _start(client: SFNClient, machine: str, options: argparse.Namespace) -> str:
    given = {
        key: str(value)
        for key in ("preset", "seed", "margin", "data")
        if (value := getattr(options, key)) is not None
    }
    now = datetime.now(UTC)
    name: str = options.name or f"{given.get('preset', 'job')}-{now:%Y%m%d-%H%M%S}"
    client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))
    return name


def _follow(client: SFNClient, execution: str, say: Say, seconds: float) -> dict[str, Any]:
    seen, last = 0, ""
    while True:
        told: dict[str, Any] = dict(client.describe_execution(executionArn=execution))
        for event in _events(client, execution):
            if event["id"] <= seen:
                continue
            seen = event["id"]
            state = event.get("stateEnteredEventDetails", {}).get("name", "")
            if state in _STATES and state != last:
                last = state
                say(f"{event['timestamp']:%H:%M:%S} {_STATES[state]}")
        if told["status"] != "RUNNING":
            return told
        time.sleep(seconds)


def _events(client: SFNClient, execution: str) -> list[Any]:
    pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]


def _reason(told: dict[str, Any]) -> str:
    """What the program said, where SageMaker passes on its last lines."""
    cause: str = told.get("cause") or told.get("error") or "no reason was given"
    with suppress(ValueError, KeyError, TypeError):
        cause = json.loads(cause)["FailureReason"]
    return " ".join(cause.split())


def _execution(machine: str, name: str) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def _explained(doing: str, grant: str, name: str | None) -> Any:
    from lens import aws

    def meaning(code: str, status: int, message: str) -> LensError | None:
        if code == "ExecutionAlreadyExists":
            return UsageError(f"there is a job {name} already: another --name, or --follow {name}")
        if code == "ExecutionDoesNotExist":
            return UsageError(f"there is no job {name}: is the name right?")
        if code == "InvalidName":
            return UsageError(f"a job cannot be called {name}: letters, digits and - only")
        return None

    return aws.explained(doing, DeploymentError, grant=grant, meaning=meaning)

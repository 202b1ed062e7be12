"""The training job: an execution of a deployed stack's machine, started and followed to its end."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lambdas.local.stack.outputs import Deployment
from lambdas.local.stack.training_photos import upload_photos
from lambdas.local.training import TrainingError
from lens.errors import DeploymentError, LensError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# The state machine's states (cdk/training_machine.py), as text for the person who waits.
_STATES = {
    "Train": "training on SageMaker ({instance}); losses and recall are in its logs and CloudWatch",
    "Promote": "asking whether the model is better",
    "Filling": "embedding the catalog with it: {behind} photos are still to come",
}
_LISTING = "listing the catalog for it: {listed} files so far"
# SageMaker takes 63 characters, and an attempt adds its number.
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,59}")
_FIELD = re.compile(r"[a-z][a-z_-]*=\S+")
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
    parser.add_argument(
        "--recipe",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="a field of the recipe, instead of the preset's: epochs=20; several times",
    )
    photos = parser.add_mutually_exclusive_group()
    photos.add_argument("--data", metavar="s3://...", help="photos (the setting training_data)")
    photos.add_argument("--upload", metavar="FOLDER", help="pack and upload these photos first")
    parser.add_argument("--name", metavar="JOB", help="the job's name (preset and time)")
    earlier = parser.add_mutually_exclusive_group()
    earlier.add_argument(
        "--resume", metavar="JOB", help="go on from the last checkpoint of a job that has ended"
    )
    earlier.add_argument(
        "--promote", metavar="JOB", help="train nothing, go on with the promotion of its model"
    )
    earlier.add_argument("--follow", metavar="JOB", help="start nothing, follow this one")
    parser.add_argument("--no-wait", action="store_true", help="start it and return")
    options = parser.parse_args(arguments)
    if options.name and not _NAME.fullmatch(options.name):
        parser.error(f"--name {options.name}: letters, digits and -, at most 60 of them")
    for field in options.recipe:
        if not _FIELD.fullmatch(field):
            parser.error(f"--recipe {field}: write it as epochs=20")
    return options


def train_deployed(
    deployment: Deployment, options: argparse.Namespace, say: Say, *, seconds: float = 10
) -> None:
    """Start a job, or follow a running one, asking for its state ever less often: every `seconds`
    seconds in the end.

    Raises TrainingError with the program's own message when the job fails. A job that is no longer
    followed goes on.
    """
    from lens import aws

    machine = deployment.training_machine
    with _explained("start a training job", "states:StartExecution", options.name):
        client = aws.client("stepfunctions")
    name = options.follow
    if not name:
        given = _given(client, machine, options)
        if options.upload:
            given["data"] = upload_photos(options.upload, deployment.artifacts, say)
        name = options.name or _new_name(given)
        with _explained("start a training job", "states:StartExecution", name):
            client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))
    say(f"job {name}; `lens train --stack {deployment.stack} --follow {name}` follows it")
    if options.no_wait:
        return
    with _explained("follow a training job", "states:GetExecutionHistory", name):
        told = _follow(client, _execution(machine, name), say, seconds)
    if told["status"] != "SUCCEEDED":
        raise TrainingError(f"job {name} ended {told['status'].lower()}: {_reason(told)}")
    result = json.loads(told["output"])
    answer = result["promotion"]["answer"]
    say(_ENDINGS[answer["status"]].format(**answer))
    say(f"report: {deployment.artifacts}/training/{result['job']}/report.html")


def _given(client: SFNClient, machine: str, options: argparse.Namespace) -> dict[str, Any]:
    """The execution's input: an earlier one's, if it goes on, and what the command line says."""
    given: dict[str, Any] = {}
    if earlier := options.resume or options.promote:
        with _explained("look an earlier job up", "states:DescribeExecution", earlier):
            told = client.describe_execution(executionArn=_execution(machine, earlier))
        if told["status"] == "RUNNING":
            raise UsageError(f"job {earlier} is running: --follow {earlier}")
        given = json.loads(told["input"])
        given = {**given, "job": given.get("job", earlier), "promote": bool(options.promote)}
    for key in ("preset", "seed", "margin", "data"):
        if (value := getattr(options, key)) is not None:
            given[key] = str(value)
    if options.recipe:
        fields = (field.partition("=") for field in options.recipe)
        given["recipe"] = {name.replace("-", "_"): value for name, _, value in fields}
    return given


def _new_name(given: dict[str, Any]) -> str:
    return f"{given.get('preset', 'job')}-{datetime.now(UTC):%Y%m%d-%H%M%S}"


def _follow(client: SFNClient, execution: str, say: Say, seconds: float) -> dict[str, Any]:
    seen, last, began = 0, "", time.monotonic()
    while True:
        told: dict[str, Any] = dict(client.describe_execution(executionArn=execution))
        for event in _events(client, execution):
            if event["id"] <= seen:
                continue
            seen = event["id"]
            line = _line(event.get("stateEnteredEventDetails", {}))
            if line and line != last:
                last = line
                say(f"{event['timestamp']:%H:%M:%S} {line}")
        if told["status"] != "RUNNING":
            return told
        time.sleep(_pause(time.monotonic() - began, seconds))


def _pause(taken: float, most: float) -> float:
    """The seconds until a job is asked for again: what ends soon is told soon."""
    return min(most, 1 + taken / 10)


def _line(entered: dict[str, str]) -> str:
    """What entering a state means; empty where it is nothing new to the person who waits."""
    state, given = entered.get("name", ""), json.loads(entered.get("input") or "{}")
    answer = given.get("promotion", {}).get("answer", {})
    if state not in _STATES or (state == "Promote" and answer):
        return ""
    chosen = given.get("try", {}).get("chosen", {})
    price = "at spot prices" if chosen.get("spot") else "on demand"
    instance = f"{chosen.get('instance', '?')} {price}"
    said = _STATES[state]
    if "listed" in answer and "behind" not in answer:
        said = _LISTING
    return said.format(
        instance=instance, behind=answer.get("behind", "some"), listed=answer.get("listed")
    )


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

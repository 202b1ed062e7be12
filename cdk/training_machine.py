"""The training machine: its states, from an execution's input to a live model, in Amazon States
Language.

A job's instances are tried one after the other; a later try goes on from the checkpoints of the one
before. Every end that is none says in one sentence what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws

from cdk.training_job import Attempt

State = dict[str, Any]

# What SageMaker says when an instance cannot be had: no quota for it, none free, or none for so
# long as was to be waited.
_NONE_FREE = (
    "*ResourceLimitExceeded*",
    "*CapacityError*",
    "*InsufficientCapacity*",
    "*MaxWaitTimeExceeded*",
)
# A call that was not taken. What a job itself ends with is another error.
_RETRY_CALL = {
    "ErrorEquals": ["SageMaker.AmazonSageMakerException", "SageMaker.ThrottlingException"],
    "IntervalSeconds": 20,
    "MaxAttempts": 3,
    "BackoffRate": 3,
}
_RETRY_STEP = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 30,
    "MaxAttempts": 5,
    "BackoffRate": 2,
}


def definition(
    *,
    defaults: dict[str, Any],
    fixed: dict[str, Any],
    attempts: Sequence[Attempt],
    job: State,
    hours: int,
    promote: str,
    patience: int,
    seconds: int,
    limit: dict[str, float],
) -> dict[str, Any]:
    """The whole machine. `fixed` are the hyperparameters that no input changes, `job` is the state
    that runs one attempt, `promote` the function's ARN, which is asked every so many `seconds`;
    `limit` is what a promotion may cost, where there is a limit."""
    tried = ", ".join(str(attempt) for attempt in attempts)
    given = {
        **defaults,
        "job.$": "$$.Execution.Name",
        "recipe": {},
        "promote": False,
        "attempts": [attempt.state() for attempt in attempts],
        "attempt": 0,
        "promotion": {"answer": {}},
    }
    return {
        "StartAt": "Defaults",
        "States": {
            "Defaults": _pass({"defaults": given, "given.$": "$"}, "Merge"),
            "Merge": _pass(
                {"input.$": "States.JsonMerge($.defaults, $.given, false)"},
                "Train?",
                OutputPath="$.input",
            ),
            "Train?": _choice("Fixed", (_equals("$.promote", True), "Promote")),
            "Fixed": _pass(fixed, "Choose", "$.fixed"),
            "Choose": _pass(
                {"chosen.$": "States.ArrayGetItem($.attempts, $.attempt)"}, "Train", "$.try"
            ),
            "Train": {
                **job,
                "Retry": [_RETRY_CALL],
                "Catch": [
                    {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Why?"}
                ],
                "ResultPath": "$.trained",
                "Next": "Completed?",
            },
            "Completed?": _choice(
                "Stopped", (_equals("$.trained.TrainingJobStatus", "Completed"), "Promote")
            ),
            # SageMaker calls a job that it ended itself "Stopped", which is no failure to it.
            "Stopped": _pass(
                {"Error": "Stopped", "Cause.$": "States.JsonToString($.trained)"},
                "Why?",
                "$.failure",
            ),
            "Why?": _choice(
                "TrainingFailed",
                (_matches("*MaxRuntimeExceeded*"), "OutOfTime"),
                ({"Or": [*map(_matches, _NONE_FREE), _refused()]}, "More?"),
            ),
            "More?": _choice(
                "NoInstance",
                ({"Variable": "$.attempt", "NumericLessThan": len(attempts) - 1}, "Next"),
            ),
            "Next": _pass({"number.$": "States.MathAdd($.attempt, 1)"}, "Advance", "$.next"),
            "Advance": {
                "Type": "Pass",
                "InputPath": "$.next.number",
                "ResultPath": "$.attempt",
                "Next": "Choose",
            },
            "TrainingFailed": {
                "Type": "Fail",
                "ErrorPath": "$.failure.Error",
                "CausePath": "$.failure.Cause",
            },
            "OutOfTime": _fail(
                f"training was stopped after {hours} hours (the setting training_hours); its last "
                "checkpoint is kept, and `lens train --resume {}` goes on with it"
            ),
            "NoInstance": _fail(
                f"none of these could be had: {tried}. Ask for the quota, or name others with "
                "training_others or training_on_demand; `lens train --resume {}` then goes on"
            ),
            "Promote": {
                "Type": "Task",
                "Resource": f"arn:{Aws.PARTITION}:states:::lambda:invoke",
                "Parameters": {
                    "FunctionName": promote,
                    "Payload": {
                        "job.$": "$.job",
                        "before.$": "$.promotion.answer",
                        "patience": patience,
                        **({"limit": limit} if limit else {}),
                    },
                },
                "ResultSelector": {"answer.$": "$.Payload"},
                "ResultPath": "$.promotion",
                "Retry": [_RETRY_STEP],
                "Next": "Better?",
            },
            "Better?": _choice(
                "Kept",
                *(
                    (_equals("$.promotion.answer.status", answer), answer.capitalize())
                    for answer in ("filling", "live", "stuck")
                ),
            ),
            "Filling": {"Type": "Wait", "Seconds": seconds, "Next": "Promote"},
            "Live": {"Type": "Succeed"},
            "Kept": {"Type": "Succeed"},
            "Stuck": {
                "Type": "Fail",
                "Error": "Stuck",
                "CausePath": "$.promotion.answer.reason",
            },
        },
    }


def _pass(parameters: dict[str, Any], following: str, result: str = "$", **more: Any) -> State:
    return {
        "Type": "Pass",
        "Parameters": parameters,
        "ResultPath": result,
        "Next": following,
        **more,
    }


def _choice(otherwise: str, *rules: tuple[dict[str, Any], str]) -> State:
    return {
        "Type": "Choice",
        "Choices": [{**rule, "Next": following} for rule, following in rules],
        "Default": otherwise,
    }


def _matches(pattern: str) -> dict[str, Any]:
    return {"Variable": "$.failure.Cause", "StringMatches": pattern}


def _refused() -> dict[str, Any]:
    return {"Variable": "$.failure.Error", "StringMatches": "*ResourceLimitExceeded*"}


def _equals(path: str, value: str | bool) -> dict[str, Any]:
    kind = "BooleanEquals" if isinstance(value, bool) else "StringEquals"
    return {"Variable": path, kind: value}


def _fail(sentence: str) -> State:
    """`{}` in the sentence is the job's name."""
    return {
        "Type": "Fail",
        "Error": "TrainingEnded",
        "CausePath": f"States.Format('{sentence}', $.job)",
    }

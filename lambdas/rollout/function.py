"""The rollout function: what CodeDeploy calls before a new version of search gets requests."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambdas.rollout.handler import RolloutHandler
from lens import aws
from lens.settings import settings_from

_settings = settings_from(os.environ, required=("search_version",))
_lambda = aws.client("lambda")
_codedeploy = aws.client("codedeploy")


def _invoke(event: dict[str, Any]) -> Any:
    reply = _lambda.invoke(FunctionName=_settings.search_version, Payload=json.dumps(event))
    return json.loads(reply["Payload"].read())


def _tell(deployment: str, hook: str, status: str) -> None:
    _codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=deployment, lifecycleEventHookExecutionId=hook, status=status
    )


_photo = Path(__file__).with_name("photo.jpg").read_bytes()
_rollout = RolloutHandler(_photo, _invoke, _tell, next(iter(_settings.origin_keys), ""))


def handler(event: Mapping[str, str], context: object = None) -> dict[str, str]:
    """Lambda's calling convention; the reply says what CodeDeploy was told, and why."""
    return _rollout(event, context)

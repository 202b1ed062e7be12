"""One more call: asked of Lambda for this function, to go on, without waiting for its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.again import GO_ON, call_again
from lens import aws


def test_this_function_is_called_once_more_and_nobody_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    class Lambda:
        def invoke(self, **request: Any) -> None:
            asked.append(request)

    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "Shop-reconcile")
    monkeypatch.setattr(aws, "client", lambda name: {"lambda": Lambda()}[name])
    call_again()
    (request,) = asked
    assert json.loads(request.pop("Payload")) == GO_ON
    assert request == {"FunctionName": "Shop-reconcile", "InvocationType": "Event"}

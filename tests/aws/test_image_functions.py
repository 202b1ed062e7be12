"""The image functions without Docker: they fail, time out and restart as on Lambda."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws.inside.image import Image
from tests.aws.inside.image_functions import ImageFunctions
from tests.aws.interpreters import Interpreters

pytestmark = pytest.mark.aws

_DOCKERFILE = """
FROM base
WORKDIR /var/task
COPY --chown=root lambdas/__init__.py lambdas/small.py \\
     lambdas/
COPY pins.txt /elsewhere/
CMD ["lambdas.small.handler"]
"""
_HANDLER = """
import os, time
print("started")
if os.environ.get("BROKEN"):
    raise ImportError("a part is missing")
def handler(event, context):
    if event == "fail":
        raise ValueError("cannot do this")
    if event == "hang":
        time.sleep(600)
    if event == "die":
        os._exit(7)
    return {"seen": event, "id": os.getpid(), "role": os.environ["AWS_ACCESS_KEY_ID"],
            "left": context.get_remaining_time_in_millis() > 0, "home": os.listdir(".")}
"""


@pytest.fixture
def functions(
    python: Interpreters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ImageFunctions]:
    monkeypatch.setenv("GATEWAY_PORT", "1")
    folder = tmp_path / "lambdas"
    folder.mkdir()
    (folder / "Dockerfile").write_text(_DOCKERFILE)
    (folder / "__init__.py").write_text("")
    (folder / "small.py").write_text(_HANDLER)
    made = ImageFunctions(Image(tmp_path), str(python.image))
    yield made
    made.end()


def _invoke(functions: ImageFunctions, event: Any, **environment: str) -> dict[str, Any]:
    # Only what hangs is to meet its limit: a busy machine may take seconds for the rest.
    config = {
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:small",
        "FunctionName": "small",
        "Timeout": 2 if event == "hang" else 120,
        "Environment": {"Variables": environment},
    }
    return functions.invoke(config, {"AWS_ACCESS_KEY_ID": "ASIAROLE"}, event, "a-request")


def test_a_reply_comes_from_a_warm_process_with_the_roles_credentials(
    functions: ImageFunctions,
) -> None:
    first, second = _invoke(functions, {"n": 1}), _invoke(functions, {"n": 2})
    assert first["error"] is False
    assert first["body"]["seen"] == {"n": 1}
    assert first["body"]["role"] == "ASIAROLE"
    assert first["body"]["left"] is True
    assert first["body"]["home"] == ["lambdas"]
    assert second["body"]["id"] == first["body"]["id"]
    assert "started" in first["log"] and "started" not in second["log"]


def test_an_exception_is_told_as_lambda_tells_it_and_the_process_lives_on(
    functions: ImageFunctions,
) -> None:
    before = _invoke(functions, "well")["body"]["id"]
    failed = _invoke(functions, "fail")
    assert failed["error"] is True
    assert failed["body"]["errorType"] == "ValueError"
    assert failed["body"]["errorMessage"] == "cannot do this"
    assert json.dumps(failed["body"]["stackTrace"])
    assert _invoke(functions, "well")["body"]["id"] == before


@pytest.mark.parametrize(
    ("event", "kind"), [("hang", "Sandbox.Timedout"), ("die", "Runtime.ExitError")]
)
def test_a_process_that_hangs_or_dies_is_replaced(
    functions: ImageFunctions, event: str, kind: str
) -> None:
    before = _invoke(functions, "well")["body"]["id"]
    assert _invoke(functions, event)["body"]["errorType"] == kind
    assert _invoke(functions, "well")["body"]["id"] != before


def test_a_handler_that_cannot_be_imported_says_why_at_every_call(
    functions: ImageFunctions,
) -> None:
    for _ in range(2):
        failed = _invoke(functions, "well", BROKEN="yes")
        assert failed["error"] is True
        assert "a part is missing" in failed["body"]["errorMessage"]


def test_other_variables_take_effect_with_the_next_call(functions: ImageFunctions) -> None:
    before = _invoke(functions, "well")["body"]["id"]
    assert _invoke(functions, "well", SETTING="new")["body"]["id"] != before

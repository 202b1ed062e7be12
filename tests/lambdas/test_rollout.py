"""Tests of the rollout function: handler.py against the real app, function.py against AWS's replies
as botocore checks them."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from mangum import Mangum

from lambdas.rollout.handler import FAILED, SUCCEEDED, RolloutHandler
from lambdas.search.origin_wall import OriginWall
from lambdas.search.viewer import Viewed
from lens import aws
from lens.photos.decoding import decode
from lens.settings import Limits
from tests.lambdas.conftest import MakeShop, Shop

PHOTO = (Path(__file__).parents[2] / "lambdas/rollout/photo.jpg").read_bytes()
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}
VERSION = "arn:aws:lambda:eu-west-1:123456789012:function:search:7"


@pytest.fixture(autouse=True)
def _loop() -> Iterator[None]:
    """An event loop for Mangum, which opens one itself otherwise and never closes it."""
    with asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())
        yield
    asyncio.set_event_loop(None)


def _asked(invoke: Any) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    told: list[tuple[str, str, str]] = []
    reply = RolloutHandler(PHOTO, invoke, lambda *words: told.append(words))(EVENT)
    return reply, told


def _version(shop: Shop) -> Any:
    handler = Mangum(Viewed(shop.app), lifespan="off")
    return lambda event: handler(event, None)  # type: ignore[arg-type]


def test_the_photo_is_one_that_shoppers_could_send() -> None:
    assert min(decode(PHOTO, Limits()).size) > 100
    assert len(PHOTO) < 20_000


def test_a_version_that_finds_something_is_taken(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reply, told = _asked(_version(shop))
    assert reply == {"status": SUCCEEDED, "wrong": ""}
    assert told == [("d-1", "hook-1", "Succeeded")]
    assert "answered with 6 hits" in caplog.text


def test_a_version_that_answers_cloudfront_alone_is_asked_with_its_key(shop: Shop) -> None:
    walled = Mangum(OriginWall(shop.app, ["k" * 16, "o" * 16]), lifespan="off")

    def asked(key: str) -> dict[str, str]:
        answer: Any = walled
        handler = RolloutHandler(PHOTO, lambda event: answer(event, None), lambda *words: None, key)
        return handler(EVENT)

    assert asked("k" * 16)["status"] == SUCCEEDED
    assert (refused := asked(""))["status"] == FAILED
    assert "403" in refused["wrong"]


def test_a_shop_without_photos_is_no_failure(make_shop: MakeShop) -> None:
    assert _asked(_version(make_shop()))[0]["status"] == SUCCEEDED


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"statusCode": 500, "body": '{"error": "internal"}'}, "it answered"),
        ({"errorMessage": "Unable to import module", "errorType": "ImportError"}, "ImportError"),
        ({"statusCode": 200, "body": "<html>"}, "no hits: <html>"),
        ({"statusCode": 200, "body": "[]"}, "no hits"),
        (None, "it answered null"),
    ],
)
def test_another_answer_is_a_failure_that_is_told(reply: Any, words: str) -> None:
    answer, told = _asked(lambda event: reply)
    assert words in answer["wrong"]
    assert told == [("d-1", "hook-1", FAILED)]


def test_a_version_that_cannot_be_invoked_is_told_and_not_waited_for() -> None:
    def refuse(event: object) -> None:
        raise OSError("timed out")

    answer, told = _asked(refuse)
    assert answer["wrong"] == "it cannot be invoked: timed out"
    assert told == [("d-1", "hook-1", FAILED)]


def test_the_function_invokes_the_new_version_and_tells_codedeploy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = json.dumps({"statusCode": 200, "body": json.dumps({"hits": []})}).encode()
    session = botocore.session.Session()
    stubs: dict[str, Stubber] = {}

    def client(service: str) -> Any:
        made = session.create_client(
            service, "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        stubs[service] = Stubber(made)
        stubs[service].activate()
        return made

    monkeypatch.setattr(aws, "client", client)
    monkeypatch.setenv("LENS_SEARCH_VERSION", VERSION)
    sys.modules.pop("lambdas.rollout.function", None)
    function = importlib.import_module("lambdas.rollout.function")
    from lambdas.rollout.handler import search_event

    stubs["lambda"].add_response(
        "invoke",
        {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body))},
        {"FunctionName": VERSION, "Payload": json.dumps(search_event(PHOTO))},
    )
    stubs["codedeploy"].add_response(
        "put_lifecycle_event_hook_execution_status",
        {},
        {
            "deploymentId": "d-1",
            "lifecycleEventHookExecutionId": "hook-1",
            "status": "Succeeded",
        },
    )
    assert function.handler(EVENT) == {"status": SUCCEEDED, "wrong": ""}
    for stub in stubs.values():
        stub.assert_no_pending_responses()

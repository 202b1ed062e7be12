"""Tests of lambdas/authorize: with a real secret of an emulated Secrets Manager.

Covers: keys.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from lambdas.authorize.handler import SECONDS, AuthorizeHandler
from lens.errors import LensError, UsageError
from lens.keys import given_key, opens

OLD, NEW = "old-key-of-the-shop", "new-key-of-the-shop"


class Keys:
    """A secret that is changed, and a clock."""

    def __init__(self) -> None:
        self.told: str | Exception = OLD
        self.now = 0.0
        self.reads = 0
        self.authorize = AuthorizeHandler(self._read, lambda: self.now)

    def _read(self) -> str:
        self.reads += 1
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def opens(self, key: str) -> bool:
        return self.authorize({"headers": {"authorization": f"Bearer {key}"}})["isAuthorized"]


def test_only_a_key_of_the_secret_opens() -> None:
    keys = Keys()
    assert keys.opens(OLD)
    assert not any(map(keys.opens, (NEW, OLD[:-1], OLD + "x", "", f"{OLD},{NEW}", "é" * 20)))
    assert not keys.authorize({})["isAuthorized"]
    assert keys.authorize({"headers": {"X-Api-Key": OLD}})["isAuthorized"]


def test_a_key_is_changed_while_both_are_in_use() -> None:
    keys = Keys()
    assert keys.opens(OLD)
    for told, opening in ((f"{NEW}, {OLD}", {OLD, NEW}), (NEW, {NEW})):
        keys.told = told
        keys.now += SECONDS - 1
        assert keys.opens(OLD), "for a minute, what was read goes on"
        keys.now += 1
        assert {key for key in (OLD, NEW) if keys.opens(key)} == opening
    assert keys.reads == 3


@pytest.mark.parametrize("trouble", [UsageError("denied"), "short", "a" * 16 + ",b,c"])
def test_keys_that_cannot_be_read_cost_nothing_once_there_were_some(
    trouble: str | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    keys = Keys()
    assert keys.opens(OLD)
    keys.told, keys.now = trouble, SECONDS
    assert keys.opens(OLD) and not keys.opens(NEW)
    assert "go on" in caplog.text and "a" * 16 not in caplog.text
    fresh = Keys()
    fresh.told = trouble
    with pytest.raises(LensError):
        fresh.opens(OLD)


def test_the_function_reads_the_secret_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client: Any = botocore.session.get_session().create_client("secretsmanager")
        arn = client.create_secret(Name="keys", SecretString=f"{OLD}\n")["ARN"]
        monkeypatch.setenv("LENS_KEYS_SECRET", arn)
        sys.modules.pop("lambdas.authorize.function", None)
        handler: Callable[..., object] = importlib.import_module(
            "lambdas.authorize.function"
        ).handler
        asked = {"headers": {"authorization": f"Bearer {OLD}"}}
        assert handler(asked, None) == {"isAuthorized": True}
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
        sys.modules.pop("lambdas.authorize.function", None)
        lost = importlib.import_module("lambdas.authorize.function").handler
        with pytest.raises(UsageError, match="cannot read arn:aws"):
            lost(asked, None)


def test_a_request_brings_its_key_in_one_of_three_ways() -> None:
    assert given_key({"authorization": "Bearer  abc"}) == b"abc"
    assert given_key({"authorization": "Basic c2hvcDphYmM="}) == b"abc"
    assert given_key({"authorization": "Basic !"}) == b""
    assert given_key({"x-api-key": "abc"}) == b"abc"
    assert not opens(b"", []) and not opens(b"", ["abc"]) and opens(b"abc", ["x", "abc"])

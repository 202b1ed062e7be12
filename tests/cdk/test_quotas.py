"""Tests of quotas.py: what of an account's limits is too low, with AWS's replies as botocore checks
them (Stubber)."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.stub import ANY, Stubber

from cdk.config import Config
from cdk.deployed import Deployed
from cdk.quotas import Lack, lacks


class Account:
    """An account's limits; clients that answer by them, and nothing else."""

    def __init__(self, **figures: Any) -> None:
        self._is: dict[str, Any] = {
            "total": 1_000,
            "free": 1_000,
            "own": None,
            "cache": 4,
            "headers": 4,
            "spot": 1.0,
            "denied": "",
        } | figures
        self._session = botocore.session.Session()

    @property
    def total(self) -> int:
        """How many functions it runs at a time."""
        return int(self._is["total"])

    def __call__(self, service: str, region: str = "eu-west-1") -> Any:
        client = self._session.create_client(
            service, region, aws_access_key_id="test", aws_secret_access_key="test"
        )
        stub = Stubber(client)
        if service == self._is["denied"]:
            stub.add_client_error("get_account_settings", "AccessDeniedException", "no")
        else:
            getattr(self, f"_{service.replace('-', '_')}")(stub, region)
        stub.activate()
        return client

    def _lambda(self, stub: Stubber, region: str) -> None:
        if self._is.get("asked_settings"):
            given = {"ReservedConcurrentExecutions": self._is["own"]} if self._is["own"] else {}
            stub.add_response("get_function_concurrency", given, {"FunctionName": "search-1"})
            return
        self._is["asked_settings"] = True
        limit = {
            "ConcurrentExecutions": self._is["total"],
            "UnreservedConcurrentExecutions": self._is["free"],
        }
        stub.add_response("get_account_settings", {"AccountLimit": limit})

    def _cloudfront(self, stub: Stubber, region: str) -> None:
        for operation, key, kind in (
            ("list_cache_policies", "CachePolicyList", "cache"),
            ("list_response_headers_policies", "ResponseHeadersPolicyList", "headers"),
        ):
            first = min(self._is[kind], 2)
            pages = [{"MaxItems": 2, "Quantity": first, "NextMarker": "more"}]
            pages += [{"MaxItems": 100, "Quantity": self._is[kind] - first}]
            for page, asked in zip(pages, ({}, {"Marker": "more"}), strict=True):
                stub.add_response(operation, {key: page}, {"Type": "custom", **asked})

    def _service_quotas(self, stub: Stubber, region: str) -> None:
        names = {
            "L-CACHE": ("Cache policies per AWS account", 20.0),
            "L-SPOT": ("ml.p4d.24xlarge for spot training job usage", 0.0),
        }
        applied = {"L-SPOT": (names["L-SPOT"][0], self._is["spot"])}
        for operation, of in (
            ("list_aws_default_service_quotas", names),
            ("list_service_quotas", applied),
        ):
            quotas = [
                {"QuotaCode": code, "QuotaName": name, "Value": value}
                for code, (name, value) in of.items()
            ]
            stub.add_response(operation, {"Quotas": quotas}, {"ServiceCode": ANY})


def _found(account: Account, deployed: Deployed | None = None, **settings: Any) -> list[Lack]:
    settings.setdefault("account_concurrency", account.total)
    return list(lacks(Config(**settings), account, deployed or Deployed()))


def test_an_account_that_has_enough_lacks_nothing() -> None:
    assert _found(Account()) == []


def test_an_account_that_the_setting_does_not_know_is_told() -> None:
    (lack,) = _found(Account(total=3_000, free=2_900), account_concurrency=1_000)
    assert not lack.blocks
    assert "-c account_concurrency=3000" in lack.text


def test_a_new_account_cannot_keep_a_share_for_search() -> None:
    (lack,) = _found(Account(total=10, free=10))
    assert lack.blocks
    assert "search_reserved=50 would leave -40" in lack.text
    assert "--service-code lambda --quota-code L-B99A9384 --desired-value 1000" in lack.text
    assert "-c search_reserved=0" in lack.text


def test_what_this_stack_has_reserved_already_is_not_asked_for_twice() -> None:
    """150 of 250 are other functions' or nobody's; 50 are the deployed search's."""
    there = Deployed({"SearchFunction": "search-1"})
    assert _found(Account(total=250, free=150, own=50), there) == []
    (lack,) = _found(Account(total=250, free=130, own=None), there)
    assert lack.blocks


def test_without_a_share_little_concurrency_is_only_noted() -> None:
    (lack,) = _found(Account(total=10, free=10), search_reserved=0)
    assert not lack.blocks
    assert "embed may take 20" in lack.text


def test_a_new_stack_needs_room_for_its_policies() -> None:
    lack, other = _found(Account(cache=19, headers=19))
    assert lack.blocks and other.blocks
    assert "CloudFront has 19 of 20 cache policies per AWS account" in lack.text
    assert "--quota-code L-CACHE --desired-value 40 --region us-east-1" in lack.text
    assert "response headers policies" in other.text
    there = Deployed({"SearchFunction": "search-1"})
    assert _found(Account(cache=20, headers=20), there) == []


def test_an_account_without_the_training_instance_is_told_and_may_deploy() -> None:
    (lack,) = _found(Account(spot=0.0))
    assert not lack.blocks
    assert "0 of 1 ml.p4d.24xlarge for spot training job usage" in lack.text
    assert "--service-code sagemaker --quota-code L-SPOT --desired-value 1" in lack.text


def test_quotas_that_may_not_be_read_block_nothing() -> None:
    (lack,) = _found(Account(denied="lambda"))
    assert not lack.blocks
    assert "concurrency was not looked at" in lack.text and "AccessDenied" in lack.text

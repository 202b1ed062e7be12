"""Tests of reembedding.py: the estimate against a calculation by hand, and its limit."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from cdk.config import Config
from cdk.costs import Shop
from cdk.prices import Prices
from cdk.reembedding import main, reembedding

PRICES = [field.name for field in fields(Prices) if field.name != "date"]
NOTHING: dict[str, Any] = dict.fromkeys(PRICES, 0.0)
FREE = replace(Prices(), **NOTHING)
SHOP = Shop(embed_seconds=0.5, memory_gb=2)


def dollars(photos: int, **prices: float) -> float:
    paid: dict[str, Any] = {**prices}
    return reembedding(photos, Config(), SHOP, replace(FREE, **paid)).dollars


def test_it_takes_as_long_as_its_functions_together() -> None:
    assert reembedding(72_000, Config(embed_concurrency=10), SHOP, FREE).hours == 1
    assert reembedding(72_000, Config(embed_concurrency=20), SHOP, FREE).hours == 0.5


def test_each_part_is_paid_once() -> None:
    # 250 photos are 3 batches, which are embedded and then committed, and 25 messages.
    assert dollars(250, lambda_gb_second=1.0) == pytest.approx(250 * 0.5 * 2 + 3 * 0.3 * 2)
    assert dollars(250, lambda_request=1.0) == 6
    assert dollars(250, s3_read=1.0) == 250
    assert dollars(250, s3_write=1.0) == 250 + 3 * 3
    assert dollars(250, sqs_request=1.0) == 3 * (25 + 3 + 3)
    assert dollars(0, **dict.fromkeys(PRICES, 1.0)) == 0


def test_it_is_told_and_held_to_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["10000000"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("10,000,000 photos at 0.2 s each, 20 functions: 27.8 hours, $")
    most = float(told.rpartition("$")[2])
    assert main(["10000000", "--most-dollars", str(most + 1)]) == 0
    assert capsys.readouterr().err == ""
    assert main(["10000000", "--most-dollars", str(most - 1)]) == 1
    assert capsys.readouterr().err == f"that is more than ${most - 1:.2f}\n"

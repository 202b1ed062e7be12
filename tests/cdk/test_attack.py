"""Tests of attack.py: an attacker's hour, by what bounds it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdk.attack import ATTACKS, Attack, attacked_hour, edge_hour
from cdk.config import Config
from cdk.prices import Prices

LONG = Attack("long", 0)
# A second of a function costs a dollar, and nothing else costs anything.
TIME = replace(Prices(), lambda_gb_second=1.0, lambda_request=0.0, http_api_request=0.0)


def test_the_share_of_search_bounds_what_long_requests_cost() -> None:
    config = Config(search_memory=1_024, search_reserved=7, search_timeout=20)
    assert attacked_hour(LONG, config, TIME) == pytest.approx(7 * 3_600)
    # A longer timeout costs no more: there are as many functions.
    longer = config.model_copy(update={"search_timeout": 29})
    assert attacked_hour(LONG, longer, TIME) == pytest.approx(7 * 3_600)


def test_the_throttle_bounds_what_short_requests_cost() -> None:
    config = Config(search_memory=1_024, search_reserved=50, throttle_rate=10)
    assert attacked_hour(Attack("short", 0.1), config, TIME) == pytest.approx(10 * 0.1 * 3_600)


def test_without_a_share_the_bound_is_the_accounts() -> None:
    """What the issue found: $1, $11 and $104 an hour."""
    before = Config(search_reserved=0, search_timeout=29)
    found = [round(attacked_hour(each, before)) for each in ATTACKS]
    assert found == [1, 11, 104]


def test_the_defaults_bound_an_hour_of_the_api_to_six_dollars() -> None:
    assert max(attacked_hour(each, Config()) for each in ATTACKS) < 6


def test_the_alarm_on_cost_is_below_what_an_attacker_reaches() -> None:
    """Or it could not fire."""
    assert Config().alarm_dollars < attacked_hour(LONG, Config())


def test_what_cloudfront_answers_itself_is_told_too() -> None:
    prices = replace(Prices(), cloudfront_gb=1.0, cloudfront_request=1e-6, cloudfront_function=0.0)
    assert list(edge_hour(prices).values()) == pytest.approx([450.0, 36.0])

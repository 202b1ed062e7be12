"""Tests of costs.py: each part against a calculation by hand, the shop against the stack.

Covers: costs, prices.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from cdk.config import Config
from cdk.costs import Costs, Shop, costs, main
from cdk.prices import Prices, second_price
from tests.cdk.synthesis import Parts

NOTHING: dict[str, Any] = {each.name: 0.0 for each in fields(Prices) if each.name != "date"}
FREE = replace(Prices(), **NOTHING)


def test_functions_are_paid_by_memory_and_time() -> None:
    shop = Shop(memory_gb=2, search_seconds=0.5)
    found = costs(shop, replace(FREE, lambda_gb_second=1e-3, lambda_request=1e-6))
    assert found.thousand_searches == pytest.approx(1_000 * (2 * 0.5 * 1e-3 + 1e-6))


def test_a_search_is_one_request_and_its_pictures() -> None:
    shop = Shop(pictures=12)
    found = costs(shop, replace(FREE, cloudfront_request=1e-6, http_api_request=1e-5))
    assert found.thousand_searches == pytest.approx(1_000 * (13e-6 + 1e-5))


def test_an_idle_shop_pays_for_what_lies_there() -> None:
    shop = Shop(photos=1_000, photo_mb=1.0, picture_mb=0.024, image_gb=0.5)
    found = costs(shop, replace(FREE, s3_gb_month=0.1, ecr_gb_month=2.0))
    assert found.idle_month == pytest.approx(0.1 + 1.0)


def test_reconciling_is_paid_by_the_page_and_the_second() -> None:
    shop = Shop(photos=1_001, reconciles_a_day=24, upkeep_seconds=2, upkeep_gb=3)
    found = costs(shop, replace(FREE, s3_write=1e-3, lambda_gb_second=1e-4))
    assert found.idle_month == pytest.approx(730 * (2 * 1e-3 + 6 * 1e-4))


def test_indexing_is_paid_by_the_photo() -> None:
    found = costs(Shop(), replace(FREE, s3_write=1e-6))
    assert found.ten_thousand_photos == pytest.approx(10_000 * 5e-6)


def _only(found: Costs) -> dict[str, float]:
    """What is not free."""
    return {each.name: cost for each in fields(found) if (cost := getattr(found, each.name))}


def test_training_is_paid_by_the_hour_at_spot_prices() -> None:
    found = costs(Shop(training_hours=4), replace(FREE, p4d_hour=20.0, spot_share=0.25))
    assert _only(found) == {"training_run": 20.0}


def test_a_snapshot_is_paid_by_the_month_that_it_is_kept_and_by_the_resumption() -> None:
    prices = replace(FREE, snapstart_gb_second=1e-6, snapstart_restored_gb=1e-3)
    found = costs(Shop(memory_gb=2, resumptions=500), prices)
    assert _only(found) == {"snapshot_month": pytest.approx(2 * (730 * 3.6e-3 + 0.5))}


def test_what_is_logged_is_paid_by_the_search() -> None:
    found = costs(Shop(log_kb=2.0), replace(FREE, logs_gb=0.5))
    assert _only(found) == {"thousand_searches": pytest.approx(1_000 * 2 / 1_024**2 * 0.5)}


def test_what_is_turned_on_is_paid_alone() -> None:
    shop = Shop(memory_gb=2, waf_rules=3, traced_share=0.5, cold_seconds=2)
    cases: tuple[tuple[dict[str, Any], dict[str, float]], ...] = (
        ({"provisioned_gb_second": 1e-6}, {"provisioned_month": 730 * 3_600 * 2e-6}),
        ({"waf_month": 5.0, "waf_rule_month": 1.0, "waf_request": 1e-6}, {"waf_month": 9.0}),
        ({"trace": 2e-6}, {"traced_million": 1.0}),
        ({"key_month": 1.0, "key_request": 1e-3}, {"key_month": 1 + 9 * 8.76}),
    )
    for prices, paid in cases:
        assert _only(costs(shop, replace(FREE, **prices))) == {
            name: pytest.approx(cost) for name, cost in paid.items()
        }


def test_a_cold_start_is_paid_as_running_is() -> None:
    shop = Shop(memory_gb=2, cold_seconds=3)
    found = costs(shop, replace(FREE, lambda_gb_second=1e-3))
    assert found.thousand_cold_starts == pytest.approx(1_000 * 2 * 3 * 1e-3)
    assert second_price(2_048) == 2 * Prices().lambda_gb_second


def test_the_page_has_the_table_that_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main()
    page = (Path(__file__).parents[2] / "docs/aws.md").read_text()
    told = capsys.readouterr().out.strip().split("\n\n")
    assert len(told) == 2
    assert all(f"{table}\n" in page for table in told)


@pytest.mark.slow
def test_the_shop_of_the_costs_is_the_default_stack(parts: Parts) -> None:
    shop, config = Shop(), Config()
    assert shop.alarms == len(parts.named("AWS::CloudWatch::Alarm"))
    assert shop.memory_gb == config.search_memory / 1_024 == config.embed_memory / 1_024
    assert shop.upkeep_gb == config.upkeep_memory / 1_024
    assert shop.reconciles_a_day == 24 / config.reconcile_hours

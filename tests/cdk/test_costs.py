"""Tests of costs.py: each part against a calculation by hand, the shop against the stack."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from cdk.config import Config
from cdk.costs import Costs, Prices, Shop, costs, main
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


def test_training_is_paid_by_the_hour_at_spot_prices() -> None:
    found = costs(Shop(training_hours=4), replace(FREE, p4d_hour=20.0, spot_share=0.25))
    assert found == Costs(0.0, 0.0, 0.0, 20.0, 0.0)


def test_a_snapshot_is_paid_by_the_month_that_it_is_kept_and_by_the_resumption() -> None:
    prices = replace(FREE, snapstart_gb_second=1e-6, snapstart_restored_gb=1e-3)
    found = costs(Shop(memory_gb=2, resumptions=500), prices)
    kept_and_resumed = found.snapshot_month
    assert replace(found, snapshot_month=0.0) == Costs(0.0, 0.0, 0.0, 0.0, 0.0)
    assert kept_and_resumed == pytest.approx(2 * (730 * 3.6e-3 + 0.5))


def test_the_page_has_the_table_that_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main()
    page = (Path(__file__).parents[2] / "docs/aws.md").read_text()
    assert capsys.readouterr().out in page


@pytest.mark.slow
def test_the_shop_of_the_costs_is_the_default_stack(parts: Parts) -> None:
    shop, config = Shop(), Config()
    assert shop.alarms == len(parts.named("AWS::CloudWatch::Alarm"))
    assert shop.memory_gb == config.search_memory / 1_024 == config.embed_memory / 1_024
    assert shop.upkeep_gb == config.upkeep_memory / 1_024
    assert shop.reconciles_a_day == 24 / config.reconcile_hours

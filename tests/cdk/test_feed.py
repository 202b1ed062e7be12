"""Tests of feed.py: a product file elsewhere and fetched pictures, and what functions may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cdk.synthesis import Parts, several, synthesize, text

pytestmark = pytest.mark.slow

OBJECT = "arn:<AWS::Partition>:s3:::shop-exports/daily/products.csv"
PICTURES = "image-lens/ImageLens/pictures/"
READERS = {"embed", "reconcile", "promote"}
FUNCTIONS = (*READERS, "build_index", "compact", "collect", "setup", "search")


@pytest.fixture(scope="module")
def elsewhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """A stack whose product file lies in another bucket, and whose pictures are fetched."""
    return Parts(
        synthesize(
            root,
            tmp_path_factory.mktemp("elsewhere"),
            feed="s3://shop-exports/daily/products.csv",
            feed_minutes=5,
            feed_pictures=True,
            fetch_urls=True,
            shop_currency="EUR",
        )
    )


def _variables(parts: Parts, name: str) -> dict[str, Any]:
    found: dict[str, Any] = parts.function(name)["Environment"]["Variables"]
    return found


def _allowed(parts: Parts, name: str, action: str) -> set[str]:
    return {
        text(resource)
        for statement in parts.statements(name)
        if action in several(statement["Action"])
        for resource in several(statement["Resource"])
    }


def test_those_that_compare_or_read_the_file_know_it_and_may_read_it_alone(
    elsewhere: Parts,
) -> None:
    for name in FUNCTIONS:
        told = _variables(elsewhere, name).get("LENS_FEED")
        assert told == ("s3://shop-exports/daily/products.csv" if name in READERS else None)
        named = [
            (action, text(resource))
            for statement in elsewhere.statements(name)
            for action in several(statement["Action"])
            for resource in several(statement["Resource"])
            if "shop-exports" in text(resource)
        ]
        assert named == ([("s3:GetObject", OBJECT)] if name in READERS else [])


def test_the_file_is_looked_at_on_a_schedule_of_its_own(elsewhere: Parts) -> None:
    rule = elsewhere.one("AWS::Events::Rule", "Upkeepfeedschedule")
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    (target,) = rule["Targets"]
    assert target["Input"] == '{"only":"feed"}'
    assert target["Arn"]["Fn::GetAtt"][0].startswith("Functionsreconcile")


def test_only_reconcile_writes_and_removes_pictures_and_only_under_the_stacks_own_name(
    elsewhere: Parts,
) -> None:
    for name in FUNCTIONS:
        sees = name in READERS | {"search"}
        for action, may in (
            ("s3:GetObject", sees),
            ("s3:PutObject", name == "reconcile"),
            ("s3:DeleteObject", name == "reconcile"),
        ):
            resources = _allowed(elsewhere, name, action)
            assert any(each.endswith(f"/{PICTURES}*") for each in resources) == may, (name, action)
        assert ("LENS_FEED_PICTURES" in _variables(elsewhere, name)) == sees
    deleted = _allowed(elsewhere, "reconcile", "s3:DeleteObject")
    assert len([each for each in deleted if not each.endswith("/listings/*")]) == 1
    written = {each.partition("/")[2] for each in _allowed(elsewhere, "reconcile", "s3:PutObject")}
    own = {"formats.json", "fetching.json", "layout.json", "holds.json", "catalog.json"}
    assert written == own | {"listings/*", "segments/*", f"{PICTURES}*"}


def test_replies_name_pictures_where_cloudfront_has_them(elsewhere: Parts) -> None:
    told = _variables(elsewhere, "search")
    assert told["LENS_PICTURE_URL"] == f"/{PICTURES}"
    assert told["LENS_FETCH_URLS"] == "1"
    assert told["LENS_SHOP_CURRENCY"] == "EUR"
    distribution = elsewhere.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    patterns = [each["PathPattern"] for each in distribution["CacheBehaviors"]]
    assert "image-lens/*" in [each.lstrip("/") for each in patterns]


def test_an_address_needs_no_grant(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, feed="https://shop.example/export?key=a"))
    default = Parts(synthesize(root, tmp_path / "default"))
    for name in FUNCTIONS:
        assert len(parts.statements(name)) == len(default.statements(name))
        assert ("LENS_FEED" in _variables(parts, name)) == (name in READERS)


def test_without_the_settings_nothing_is_told_and_no_schedule_made(parts: Parts) -> None:
    for name in FUNCTIONS:
        assert not [each for each in _variables(parts, name) if "FEED" in each or "PICT" in each]
        assert not [each for each in _variables(parts, name) if "SHOP" in each]
    assert not parts.named("AWS::Events::Rule", "Upkeepfeedschedule")

"""Tests of config.py: the settings in cdk.json's context."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk.config import Config, ConfigError, config_from

CDK_JSON = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())


def test_cdk_json_has_no_settings_which_would_hide_those_of_an_environment() -> None:
    assert config_from(CDK_JSON["context"]) == Config()
    assert all(":" in name for name in CDK_JSON["context"])


def test_values_of_the_command_line_are_text() -> None:
    given = {"search_memory": "2048", "site": "false", "throttle_rate": "2.5", "log_days": "7"}
    config = config_from(given)
    assert (config.search_memory, config.site, config.throttle_rate) == (2048, False, 2.5)
    assert config.log_days == 7


def test_sites_are_separated_by_commas() -> None:
    config = config_from({"cors_origins": " https://a.example, http://localhost:3000 "})
    assert config.sites == ["https://a.example", "http://localhost:3000"]
    frames = config_from({"frame_ancestors": "https://*.a.example,https://b.example"}).frames
    assert frames == ["https://*.a.example", "https://b.example"]
    assert config_from({"cors_origins": "*"}).sites == ["*"]
    assert Config().sites == Config().frames == []


def test_a_base_image_is_named_by_its_digest() -> None:
    named = f"public.ecr.aws/lambda/python:3.13@sha256:{'0a' * 32}"
    assert config_from({"base_image": named}).base_image == named


def test_the_keys_of_cdk_itself_are_not_ours() -> None:
    assert config_from({"aws:cdk:enable-path-metadata": True, "@aws-cdk/x:y": 1}) == Config()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"serach_memory": 2048}, ["'serach_memory'", "did you mean search_memory?"]),
        ({"zzz": 1}, ["'zzz' is not a setting", "docs/aws.md"]),
        ({"search_memory": "lots"}, ["search_memory='lots'", "valid integer", "with -c"]),
        ({"search_timeout": 60}, ["search_timeout=60", "29", "gives up after 30"]),
        ({"embed_concurrency": 1}, ["embed_concurrency=1", "2"]),
        ({"removal": "keep"}, ["removal='keep'", "'retain' or 'destroy'"]),
        ({"python_version": "3.9"}, ["'3.12' or '3.13'"]),
        ({"catalog_bucket": "s3://photos"}, ["catalog_bucket='s3://photos'"]),
        ({"feed": "http://shop.example/products.csv"}, ["feed=", "s3://bucket/key or https://"]),
        ({"feed": "s3://photos/*.csv"}, ["feed='s3://photos/*.csv'"]),
        ({"feed": "products.csv"}, ["feed='products.csv'"]),
        ({"feed_minutes": 0}, ["feed_minutes=0", "1"]),
        ({"base_image": "public.ecr.aws/lambda/python:3.13"}, ["base_image=", "pattern"]),
        ({"layout": "{sku}_*"}, ["layout='{sku}_*'", "{category}/{item}_*"]),
        ({"shop_url": "shop.example"}, ["shop_url='shop.example'"]),
        ({"cors_origins": "shop.example"}, ["cors_origins='shop.example'", "https://"]),
        ({"cors_origins": "https://a.example https://b.example"}, ["separated by commas"]),
        ({"frame_ancestors": "https://a.example; script-src *"}, ["in a frame", "https://"]),
        ({"frame_ancestors": "'self'"}, ["frame_ancestors=", "in a frame"]),
        ({"shop_currency": "euro"}, ["shop_currency='euro'"]),
        ({"image": "lens"}, ["image='lens'", "repository:tag"]),
        ({"packaging": "docker"}, ["packaging='docker'", "'image', 'zip' or 'snapstart'"]),
        ({"packaging": "zip", "image": "lens:1"}, ["packaging=zip", "leave image empty"]),
        (
            {"packaging": "snapstart", "search_provisioned": 1},
            ["exclude each other", "search_provisioned=0, or packaging=zip"],
        ),
        ({"search_disk": 100}, ["search_disk=100", "512", "of /tmp"]),
        (
            {"packaging": "snapstart", "search_disk": 1_024},
            ["search_disk=1024", "512 that SnapStart allows", "packaging=zip"],
        ),
        ({"log_days": "31"}, ["log_days=31", "30"]),
        ({"search_log": "2"}, ["search_log=2", "0, 1, 3", "0: none"]),
        ({"domain": "shop.example.com"}, ["domain and certificate_arn go together"]),
        ({"certificate_arn": "arn:aws:acm:eu-west-1:1:x"}, ["certificate_arn=", "us-east-1"]),
        ({"web_acl_arn": "my-acl"}, ["web_acl_arn='my-acl'", "CLOUDFRONT"]),
        ({"alarm_email": "me"}, ["alarm_email='me'"]),
        ({"budget": 10}, ["budget tells alarm_email"]),
        ({"key": "alias/shop"}, ["key='alias/shop'", "its ARN, or new"]),
        ({"catalog_key": "arn:aws:kms:eu-west-1:123456789012:key/a-1"}, ["catalog_bucket"]),
        ({"search_rollout": "slowly"}, ["'at_once', 'checked' or 'canary'"]),
        ({"training_instance": "p4d"}, ["training_instance='p4d'"]),
        ({"training_wait_hours": 1}, ["at least training_hours"]),
        ({"search_reserved": 1, "search_provisioned": 2}, ["at least search_provisioned"]),
        ({"emulator": "http://example.com:1"}, ["emulator="]),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_what_to_do(
    given: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        config_from(given)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message

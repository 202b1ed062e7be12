"""Settings: read from the environment, and refused in one line."""

from __future__ import annotations

import pytest

from lens.errors import UsageError
from lens.settings import Settings, misspelt, settings_from


def test_variables_become_settings() -> None:
    settings = settings_from({"LENS_PORT": "9000", "LENS_MAX_PHOTO_BYTES": "1000", "HOME": "/"})
    assert (settings.port, settings.limits.photo_bytes) == (9000, 1000)


def test_an_empty_variable_is_the_default() -> None:
    assert settings_from({"LENS_PORT": ""}).port == Settings().port == 8000


def test_origins_are_told_apart_by_commas() -> None:
    given = {"LENS_CORS_ORIGINS": " https://shop.example, http://localhost:3000,,"}
    assert settings_from(given).cors_origins == ("https://shop.example", "http://localhost:3000")
    assert settings_from({"LENS_CORS_ORIGINS": "*"}).cors_origins == ("*",)
    assert settings_from({}).cors_origins == ()


def test_sites_that_frame_the_page_may_be_all_names_of_a_domain() -> None:
    given = {"LENS_FRAME_ANCESTORS": "https://shop.example, https://*.brand.example:8443"}
    sites = ("https://shop.example", "https://*.brand.example:8443")
    assert settings_from(given).frame_ancestors == sites
    assert settings_from({"LENS_FRAME_ANCESTORS": "*"}).frame_ancestors == ("*",)
    assert settings_from({}).frame_ancestors == ()


def test_hosts_are_told_apart_by_commas_in_any_case() -> None:
    given = {"LENS_ALLOWED_HOSTS": " Shop.example, *.brand.example,[::1],127.0.0.1,"}
    hosts = ("shop.example", "*.brand.example", "[::1]", "127.0.0.1")
    assert settings_from(given).allowed_hosts == hosts


def test_a_public_address_has_no_path() -> None:
    for given in ("https://lens.shop.example", "http://10.0.0.7:8000", "http://[::1]:8000", ""):
        assert settings_from({"LENS_PUBLIC_URL": given}).public_url == given


KEY = "0123456789abcdef"


def test_two_keys_may_be_valid_at_a_time_and_are_in_no_message() -> None:
    settings = settings_from({"LENS_API_KEYS": f"{KEY}, next-{KEY}"})
    assert settings.api_keys == (KEY, f"next-{KEY}")
    assert KEY not in repr(settings)
    for given in (f"{KEY},{KEY}1,{KEY}2", f"{KEY},short", f"{KEY},with space {KEY}"):
        with pytest.raises(
            UsageError, match=r"LENS_API_KEYS: (3 keys: at most|key 2 has)"
        ) as caught:
            settings_from({"LENS_API_KEYS": given})
        assert KEY not in str(caught.value) and caught.value.__cause__ is None


def test_what_a_process_cannot_do_without_is_named_with_its_meaning() -> None:
    with pytest.raises(UsageError, match="LENS_ARTIFACTS is not set: it should be models and"):
        settings_from({"LENS_CATALOG": "photos"}, required=("catalog", "artifacts"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LENS_PORT", "80000"),
        ("LENS_THREADS", "many"),
        ("LENS_THREADS", "0"),
        ("LENS_PUBLIC_URL", "https://shop.example/"),
        ("LENS_PUBLIC_URL", "shop.example"),
        ("LENS_PUBLIC_URL", "*"),
        ("LENS_SHOP_CURRENCY", "euro"),
        ("LENS_SHOP_CURRENCY", "€"),
        ("LENS_ALLOWED_HOSTS", "https://shop.example"),
        ("LENS_ALLOWED_HOSTS", "shop.example:8000"),
        ("LENS_ALLOWED_HOSTS", "shop.*"),
        ("LENS_TRUSTED_PROXY", "proxy.example"),
        ("LENS_RATE", "-1"),
        ("LENS_CORS_ORIGINS", "shop.example"),
        ("LENS_CORS_ORIGINS", "https://shop.example/page"),
        ("LENS_FRAME_ANCESTORS", "shop.example"),
        ("LENS_FRAME_ANCESTORS", "https://shop.example/page"),
        ("LENS_FRAME_ANCESTORS", "https://shop.*"),
        ("LENS_FRAME_ANCESTORS", "https://shop.example; script-src *"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_from({name: value})
    assert str(caught.value).startswith(f"{name}='{value}': ")
    assert "\n" not in str(caught.value)


def test_a_variable_of_nearly_a_setting_s_name_is_told_with_what_may_be_meant() -> None:
    given = ["LENS_CURRENCY", "LENS_SHOP_CURENCY", "LENS_PORT", "LENS_SERVER", "LENS_KEY", "HOME"]
    assert misspelt(given) == {
        "LENS_CURRENCY": "LENS_SHOP_CURRENCY",
        "LENS_SHOP_CURENCY": "LENS_SHOP_CURRENCY",
    }


def test_what_is_searched_with_is_smaller_than_what_is_in_the_catalog() -> None:
    settings = settings_from({})
    assert settings.limits.photo_pixels == 64_000_000
    assert settings.query_limits.photo_pixels == 50_000_000
    assert settings.query_limits.photo_bytes == settings.limits.photo_bytes
    small = settings_from({"LENS_MAX_PHOTO_PIXELS": "9", "LENS_DECODE_APART": "0"})
    assert small.query_limits.photo_pixels == 9
    assert settings.query_limits.apart and not small.query_limits.apart

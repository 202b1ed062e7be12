"""File names: which product they begin with, and what of them is a view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lens.photos.layouts.file_names import is_code, read_name


@pytest.mark.parametrize(
    "stem",
    [
        *("SKU123_1", "SKU123-1", "SKU123.1", "SKU123 1", "SKU123 (2)", "SKU123(2)", "SKU123_a"),
        *("SKU123_front", "SKU123.MAIN", "SKU123.PT01", "SKU123_alt2", "SKU123-back-2", "SKU123"),
        *("SKU123_1_front", "SKU123_front_1", "SKU123-1024x1024", "SKU123_01", "SKU123_image1"),
    ],
)
def test_a_product_is_what_stands_before_the_view(stem: str) -> None:
    assert read_name(stem).whole == "SKU123"
    assert read_name(stem).code == "SKU123"


@pytest.mark.parametrize(
    ("stem", "whole", "code", "variant"),
    [
        ("mb01-blue-0", "mb01-blue", "mb01", "blue"),
        ("mb03-black-0_alt1", "mb03-black", "mb03", "black"),
        ("gear-mb01_blue_1", "gear-mb01_blue", "gear-mb01", "blue"),
        ("vp11-rn_main", "vp11-rn", "vp11", "rn"),
        ("12345_dark blue_2", "12345_dark blue", "12345", "dark blue"),
        ("AB-12-XL_1", "AB-12-XL", "AB-12", "XL"),
        ("red-boot_2", "red-boot", "", ""),
        ("summer-2024-dress_1", "summer-2024-dress", "", ""),
        ("dress-12_1", "dress-12", "dress-12", ""),
        ("ärmel 7x_vorne", "ärmel 7x", "ärmel 7x", ""),
    ],
)
def test_after_the_number_comes_the_variant(stem: str, whole: str, code: str, variant: str) -> None:
    name = read_name(stem)
    assert (name.whole, name.code, name.variant) == (whole, code, variant)


@pytest.mark.parametrize(
    "stem", ["1", "front", "01_1_front", "2_back", "a", "IMG_1", "image 12", "main", "_", "(1)", ""]
)
def test_a_name_that_is_all_view_names_no_product(stem: str) -> None:
    assert read_name(stem).whole == read_name(stem).code == read_name(stem).variant == ""


@pytest.mark.parametrize(
    "stem",
    [
        *("IMG_0001", "DSC_0042", "DSCN1234", "PXL_20240501_101530123", "20240501_101530"),
        *("2024-05-01", "2024-05-01 10.15.30 (1)", "WhatsApp Image 2024-05-01 at 10.15.30"),
        *("IMG-20240501-WA0001", "IMG_E1234", "Screenshot 2024-05-01", "GOPR0012"),
        *("3f2a9c1e-0b7d-4a55-9c1e-3f2a9c1e0b7d", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_a_cameras_name_names_no_product(stem: str) -> None:
    assert read_name(stem).by_camera
    assert read_name(stem).whole == ""


@pytest.mark.parametrize("stem", ["wp04-white_main", "imgur12_1", "2024_1", "19991231999_1", "p1"])
def test_other_names_are_no_cameras(stem: str) -> None:
    assert not read_name(stem).by_camera


def test_folders_with_a_number_are_products_and_seasons_are_not() -> None:
    assert all(map(is_code, ("SKU123", "vp11", "id_00000012", "item-007", "12345")))
    assert not any(map(is_code, ("shoes", "2024", "ss24", "spring 2024", "1", "front1", "90s", "")))


@given(st.text(max_size=30))
def test_any_name_can_be_read_and_begins_with_its_product(stem: str) -> None:
    name = read_name(stem)
    assert stem.strip().startswith(name.code)
    assert name.whole in stem
    assert name.whole.startswith(name.code)
    assert name.number is None or 0 <= name.number <= 999

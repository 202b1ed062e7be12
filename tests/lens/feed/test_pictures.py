"""A product's pictures: their addresses, and keys that lead back to the product."""

from __future__ import annotations

import pytest

from lens.feed.names import names_in_key, names_of_product
from lens.feed.pictures import (
    addresses_of,
    picture_folder,
    picture_id,
    picture_in,
    picture_key,
)
from lens.feed.product import Product
from lens.photos.catalog import category, is_photo, item_id
from lens.storage.contract import check_key

ADDRESS = "https://cdn.example/p/front.jpg?v=2"


def test_addresses_are_what_has_a_host() -> None:
    images = ("https://a.example/1 2.jpg", "img/a.jpg", "/w/h/wh01.jpg", "//b.example/3.jpg")
    assert addresses_of(Product("A", images=images)) == [
        "https://a.example/1%202.jpg",
        "//b.example/3.jpg",
    ]


@pytest.mark.parametrize(
    ("product", "item", "of"),
    [
        (Product("SKU1"), "SKU1", ""),
        (Product("SKU1-M", item_group_id="SKU1"), "SKU1", ""),
        (Product("S", category="Women/Dresses"), "Women/Dresses/S", "Women/Dresses"),
        (Product("A/1 b", category="Men & Boys/T-shirts"), "Men & Boys/T-shirts/A-1 b", None),
        (Product("../../etc"), None, ""),
        (Product(".hidden"), "hidden", ""),
        (Product("a\\..\\b"), "a-..-b", ""),
        (Product("///"), None, ""),
        (Product("ü" * 200), None, ""),
        (Product("x", category="/".join("abcdefghij")), "a/b/c/d/e/x", "a/b/c/d/e"),
    ],
)
def test_a_key_is_that_of_a_photo_in_its_items_folder(
    product: Product, item: str | None, of: str | None
) -> None:
    key = picture_key(picture_folder(product), picture_id(ADDRESS), ".jpg")
    check_key(key)
    assert is_photo(key) and picture_in(key) == picture_id(ADDRESS)
    assert not any(part.startswith(".") for part in key.split("/"))
    assert len(key.encode()) < 600
    if item is not None:
        assert item_id(key, {}) == item
    if of is not None:
        assert category(key) == of


def test_items_whose_ids_have_no_letter_or_are_long_have_folders_of_their_own() -> None:
    ids = ["///", "...", "-", "x" * 190 + "1", "x" * 190 + "2"]
    folders = {picture_folder(Product(name)) for name in ids}
    assert len(folders) == len(ids)


@pytest.mark.parametrize("name", ["SKU/1", "SKU 1", "SKU_1", "Ärmel.1"])
def test_a_key_is_matched_by_its_address_and_else_by_its_folder(name: str) -> None:
    product = Product(name, images=(ADDRESS,))
    key = picture_key(picture_folder(product), picture_id(ADDRESS), ".png")
    names = set(names_of_product(product))
    found = [each for each in names_in_key(key) if each in names]
    assert found == [f"picture:{picture_id(ADDRESS)}", found[1]]
    assert found[1].startswith("id:")


@pytest.mark.parametrize(
    "key",
    [
        "feed-0123456789abcdef.jpg",
        "a/feed-0123456789ABCDEF.jpg",
        "a/feed-1.jpg",
        "a/1.jpg",
        "a/feed-0123456789abcdef.gif",
        "a/feed-0123456789abcdef.jpg/b",
        "a/x-feed-0123456789abcdef.jpg",
    ],
)
def test_a_name_that_was_not_made_here_is_no_pictures(key: str) -> None:
    assert picture_in(key) is None

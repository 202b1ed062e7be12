"""Values: stocks, categories, addresses and descriptions as shops write them."""

from __future__ import annotations

import pytest

from lens.feed.values import address_of, availability_of, category_of, plain_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in stock", "in_stock"),
        ("In_Stock", "in_stock"),
        ("available", "in_stock"),
        ("https://schema.org/InStock", "in_stock"),
        ("out of stock", "out_of_stock"),
        ("sold out", "out_of_stock"),
        ("pre-order", "preorder"),
        ("backorder", "backorder"),
        ("SoldOut", "out_of_stock"),
        ("https://schema.org/LimitedAvailability", "in_stock"),
        ("discontinued", "out_of_stock"),
        ("onbackorder", "backorder"),
        ("1", "in_stock"),
        ("FALSE", "out_of_stock"),
    ],
)
def test_availability_by_any_spelling(text: str, expected: str) -> None:
    assert availability_of(text) == expected


def test_an_availability_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="'soon' is none of in_stock, out_of_stock"):
        availability_of("soon")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Home > Women > Dresses", "Home/Women/Dresses"),
        ("Women/Dresses/", "Women/Dresses"),
        ("Hats, caps and gloves", "Hats, caps and gloves"),
        ("", ""),
    ],
)
def test_categories_are_paths(text: str, expected: str) -> None:
    assert category_of(text) == expected


@pytest.mark.parametrize("text", ["shop.example/a", "/a", "ftp://shop.example/a", "https://", "x"])
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="with https:// in front"):
        address_of(text)


def test_blanks_in_an_address_are_written_as_addresses_have_them() -> None:
    assert address_of(" https://shop.example/a b.jpg ") == "https://shop.example/a%20b.jpg"


def test_descriptions_lose_their_html() -> None:
    html = "<style>p {}</style><p>Soft&nbsp;&amp; warm.</p><ul><li>Wool</li><li>Red</li></ul>"
    assert plain_text(html) == "Soft & warm. Wool Red"
    assert plain_text("5 < 6 & 7 > 6") == "5 < 6 & 7 > 6"
    assert plain_text("a\n b") == "a b"

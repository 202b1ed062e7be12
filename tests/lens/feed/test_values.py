"""Values: prices, stocks, categories, addresses and descriptions as shops write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lens.feed.values import address_of, availability_of, category_of, money_of, plain_text


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("25.00 USD", "25.00", "USD"),
        ("USD 25.00", "25.00", "USD"),
        ("25,00 EUR", "25.00", "EUR"),
        ("1,299.00 usd", "1299.00", "USD"),
        ("1.299,00 €", "1299.00", "EUR"),
        ("€1.299", "1299", "EUR"),
        ("1 299,50 zł", "1299.50", "PLN"),
        ("1\u00a0299,50 SEK", "1299.50", "SEK"),
        ("CHF 1'299.50", "1299.50", "CHF"),
        ("12,345,678 JPY", "12345678", "JPY"),
        ("25", "25", ""),
        ("0.125", "0.125", ""),
        ("29.0000", "29.0000", ""),
        ("25.-", "25", ""),
    ],
)
def test_money_is_read_in_either_convention(text: str, amount: str, currency: str) -> None:
    found = money_of(text)
    assert (found.amount, found.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize("text", ["", "free", "-5 EUR", "EUR", "5 EUR USD", "EUR 5 USD", "5 to 7"])
def test_what_is_no_price_is_told_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"25\.00 USD"):
        money_of(text)


def test_a_dollar_sign_may_be_several_currencies() -> None:
    with pytest.raises(ValueError, match="several currencies"):
        money_of("$25.00")


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

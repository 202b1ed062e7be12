"""Money: prices as shops and their programs write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lens.feed.money import money_of
from lens.feed.product import Money


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
        ("25,– €", "25", "EUR"),
        ("1\u2019299.00 CHF", "1299.00", "CHF"),
        ("1,29,900.00 INR", "129900.00", "INR"),
        ("1.234.567 EUR", "1234567", "EUR"),
        ("1234.500", "1234.5", ""),
        ("12,345.678 USD", "12345.678", "USD"),
        ("12.345 KWD", "12.345", "KWD"),
        ("US$12.99", "12.99", "USD"),
        ("R$ 12,99", "12.99", "BRL"),
        ("29,99 Euro", "29.99", "EUR"),
        ("1 299 Kč", "1299", "CZK"),
        ("\u200e12.99\u00a0EUR", "12.99", "EUR"),
    ],
)
def test_money_is_read_in_either_convention(text: str, amount: str, currency: str) -> None:
    found = money_of(text)
    assert (found.amount, found.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "free",
        "-5 EUR",
        "EUR",
        "5 EUR USD",
        "EUR 5 USD",
        "5 to 7",
        "12..99",
        "1,2,3",
        "12 99",
        "12.-15.99",
        "5-7",
        "+5",
        "1e3",
    ],
)
def test_what_is_no_price_is_told_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"25\.00 USD"):
        money_of(text)


@pytest.mark.parametrize("text", ["$25.00", "25,00 kr", "kr. 25.00", "Rs. 25.00"])
def test_a_sign_of_several_currencies_leaves_the_amount(text: str) -> None:
    assert money_of(text) == Money(Decimal("25.00"))


def test_more_decimals_than_two_are_written_only_where_they_say_something() -> None:
    assert [str(money_of(text)) for text in ("29.000000", "0.1250")] == ["29.00", "0.125"]

"""`lens feed check`: what is understood of a product file, and what of it cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdas.local.cli import main

EXPORTS = Path(__file__).parents[3] / "lens/feed/exports"


def test_a_whole_file_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feed", "check", str(EXPORTS / "shopify.csv")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shopify.csv: Shopify, 2 products, 4 variants",
        "left out: 1 (not published)",
        "without a currency: 4",
        "links: 4 are paths in the shop; LENS_SHOP_URL=https://... completes them",
        "prices: 4 are amounts alone; LENS_SHOP_CURRENCY=EUR says what they are in",
        "pictures: 6 addresses; LENS_FEED_PICTURES=1 fetches those of products without photos",
    ]


def test_each_problem_is_a_line_and_lost_rows_are_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "products.csv"
    file.write_text("id,title,price,link\nA,One,five,https://shop.example/a\n,Two,6 EUR,\n")
    assert main(["feed", "check", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "products.csv: Google Merchant, 1 product, 1 variant",
        "without a price: 1",
        "without a picture: 1",
        "line 2     A  price: 'five' is no price; write it as 25.00 USD (the field is left out)",
        "line 3        id: there is no id (the row is left out)",
    ]
    assert err == "lens: products.csv: 1 of its rows cannot be used\n"


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feed", "check", str(EXPORTS / "magento.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["dialect"], found["products"], found["variants"]) == ("Magento", 2, 3)
    assert (found["left_out"], found["problems"]) == ({"not enabled": 1}, [])


def test_a_file_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feed", "check", str(tmp_path / "none.csv")]) == 2
    assert "cannot read" in capsys.readouterr().err
    (tmp_path / "photo.csv").write_bytes(b"\xff\xd8\xff\xe0 no table")
    assert main(["feed", "check", str(tmp_path / "photo.csv")]) == 2
    assert "photo.csv has no columns" in capsys.readouterr().err
    (tmp_path / "empty.csv").write_text("id,title,price\n")
    assert main(["feed", "check", str(tmp_path / "empty.csv")]) == 1
    assert "empty.csv: its rows cannot be used" in capsys.readouterr().err

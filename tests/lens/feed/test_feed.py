"""The feed: a bad row costs itself, a bad field costs itself, and both are told by their line."""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress
from pathlib import Path

import pytest

from lens.errors import UsageError
from lens.feed.encoding import encode
from lens.feed.feed import READING, read_feed
from lens.feed.names import names_of_face, names_of_product
from lens.feed.pictures import picture_folder

HEAD = "id,title,price,link,availability\n"


def test_each_problem_is_told_by_its_line_and_costs_only_itself() -> None:
    text = HEAD + (
        "A,One,10 EUR,https://shop.example/a,in stock\n"
        ",No id,10 EUR,,\n"
        "B,Two,ten,shop.example/b,perhaps\n"
        "A,Again,11 EUR,,\n"
        "C,Three,1,2,3,4,5,6\n"
        "\n"
        "D,Four,12 EUR,,\n"
    )
    found = read_feed("products.csv", text.encode())
    assert [product.id for product in found.products] == ["A", "B", "D"]
    told = [(each.line, each.product, each.field, each.costs) for each in found.problems]
    assert told == [
        (3, "", "id", "product"),
        (4, "B", "price", "field"),
        (4, "B", "link", "field"),
        (4, "B", "availability", "field"),
        (5, "A", "id", "product"),
        (6, "", "", "product"),
    ]
    two = found.products[1]
    assert (two.title, two.price, two.link, two.availability) == ("Two", None, "", None)
    assert "line 2 already" in found.problems[4].what


def test_a_sale_that_is_none_is_dropped_in_silence() -> None:
    found = read_feed("p.csv", b"id,price,sale_price\nA,10 EUR,10 EUR\nB,10 EUR,12 EUR\n")
    assert [product.sale_price for product in found.products] == [None, None]
    assert found.problems == ()


def test_lines_are_counted_through_fields_of_several_lines() -> None:
    text = 'id,title,price\nA,"one\ntwo\nthree",x\nB,b,y\n'
    assert [each.line for each in read_feed("p.csv", text.encode()).problems] == [2, 5]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("p.csv", b"", "no columns"),
        ("p.csv", b"just words\n", "no columns"),
        ("p.csv", b"sku,stock\n1,2\n", "has the columns sku, stock: write it with Google"),
        ("p.jsonl", b"", "no products"),
        ("p.jsonl", b"[1, 2]\n", "no products"),
        ("p.csv", b"\x00\x01\x02\xff\xfe", "no columns"),
    ],
)
def test_what_is_no_product_file_is_refused(name: str, data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_feed(name, data)


def test_a_damaged_json_line_costs_itself() -> None:
    data = b'{"id": "A", "title": "a"}\n{"id": \n"words"\n{"id": "B", "title": "b"}\n'
    found = read_feed("p.jsonl", data)
    assert [product.id for product in found.products] == ["A", "B"]
    assert [each.line for each in found.problems] == [2, 3]


def test_an_id_of_any_length_is_no_id() -> None:
    found = read_feed("p.csv", b"id,title\n" + b"x" * 500 + b",long\nok,short\n")
    assert [product.id for product in found.products] == ["ok"]
    assert "longer than 200" in found.problems[0].what


_HOSTILE = (
    '"', "\0", "\r", "\n", ",", ";", "\t", "{", "}", "[", "https://[", "//", "%", "%00", "\\ud800",
    "1e999", "NaN", "true", "sep=;", "\u200e", "\ufeff", "\u0301", "$", "kr", "9" * 50, "..", "-",
)  # fmt: skip


@pytest.mark.parametrize("export", sorted((Path(__file__).parent / "exports").iterdir()))
def test_whatever_stands_in_a_file_each_product_of_it_can_be_kept(export: Path) -> None:
    """One that cannot would keep all others from being kept."""
    chance, text = random.Random(export.name), export.read_text()
    kept = 0
    for _ in range(300):
        damaged = text
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(damaged) + 1)
            damaged = damaged[:at] + chance.choice(_HOSTILE) + damaged[at:]
        encoding = chance.choice(["utf-8", "cp1252", "utf-16"])
        with suppress(UsageError):
            for product in read_feed(export.name, damaged.encode(encoding, "replace")).products:
                assert encode(product)
                assert names_of_product(product)
                assert all(name.encode() for name in names_of_face(product))
                assert picture_folder(product).encode()
                kept += 1
    assert kept > 100


def test_who_reads_drafts_as_other_products_counts_the_reading_up() -> None:
    """Rows whose fingerprint is known are not read again, whichever release has read them. When
    this fails for another export among them, correct the digest alone."""
    exports = sorted((Path(__file__).parent / "exports").iterdir())
    digest = hashlib.blake2b(digest_size=8)
    for export in exports:
        for product in read_feed(export.name, export.read_bytes()).products:
            digest.update(encode(product))
    assert (READING, digest.hexdigest()) == (3, "974232ff9ffa9a5d")

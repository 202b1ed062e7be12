"""Tables: delimiters, encodings and quoting of the programs that shops use."""

from __future__ import annotations

import pytest

from lens.feed.tables import Damaged, TableRow, read_table, text_of


def rows(name: str, text: str) -> list[TableRow | Damaged]:
    return list(read_table(name, text.encode()).rows)


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
def test_the_delimiter_is_told_by_the_first_line(delimiter: str) -> None:
    text = f"id{delimiter}title{delimiter}price\nA{delimiter}One{delimiter}10\n"
    assert rows("p.csv", text) == [TableRow(2, {"id": "A", "title": "One", "price": "10"})]


def test_columns_are_told_in_lower_case_and_without_a_prefix() -> None:
    table = read_table("p.csv", b"\xef\xbb\xbf\r\nID,g:Image_Link,\r\nA,x,\r\n")
    assert table.columns == {"id", "image_link"}
    [row] = table.rows
    assert isinstance(row, TableRow)
    assert (row["id"], row["image_link"], row["title"]) == ("A", "x", "")


def test_short_rows_lack_fields_and_long_ones_are_damaged() -> None:
    short, long, trailing = rows("p.csv", "id,title\nA\nB,b,c\nC,c,,,\n")
    assert isinstance(short, TableRow) and short["title"] == ""
    assert isinstance(long, Damaged) and "3 fields" in long.why
    assert isinstance(trailing, TableRow) and trailing["title"] == "c"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe".encode(), "Größe"),
        ("Größe".encode("utf-8-sig"), "Größe"),
        ("Größe".encode("utf-16"), "Größe"),
        ("Größe".encode("cp1252"), "Größe"),
        (b"\xff", "ÿ"),
        # A text that another program has cut in the middle of a sign, or pasted from elsewhere.
        ("Größe für Größe".encode()[:-3] + b" \xc3", "Größe für Grö Ã"),
        ("Größe für ".encode() + b"M\xe4dchen", "Größe für Mädchen"),
    ],
)
def test_encodings_are_told_by_their_bytes(data: bytes, text: str) -> None:
    assert text_of(data, "").read() == text


def test_json_values_become_texts() -> None:
    [row] = rows(
        "p.jsonl",
        '{"id": 7, "sizes": ["S", "M"], "sale": true, "none": null, '
        '"price": {"value": 1.5, "currency": "EUR"}}\n',
    )
    assert isinstance(row, TableRow)
    assert [row[name] for name in ("id", "sizes", "sale", "none", "price")] == [
        "7",
        "S,M",
        "true",
        "",
        "1.5 EUR",
    ]


def test_half_a_character_in_json_is_replaced() -> None:
    text = rb'{"id": "a", "ti\ud800": "x", "title": "Dress \ud83d\udc57 \udc57"}'
    (row,) = read_table("products.jsonl", text + b"\n").rows
    assert isinstance(row, TableRow)
    assert row.fields == {"id": "a", "ti\ufffd": "x", "title": "Dress \U0001f457 \ufffd"}


@pytest.mark.parametrize("later", ['"Six"', "Six"])
def test_a_quote_that_is_not_closed_costs_its_own_line(later: str) -> None:
    """Its neighbor's price is not its own, and nothing after it is lost."""
    text = f'id,title,price\nA,"One",1\nB,"Two,2\nC,{later},3\nD,Four,4\n'
    first, broken, *others = rows("p.csv", text)
    assert isinstance(first, TableRow) and first["price"] == "1"
    assert broken == Damaged(3, "a quote is not closed, or not doubled inside of quotes")
    assert [(row.line, row["id"], row["price"]) for row in others if isinstance(row, TableRow)] == [
        (4, "C", "3"),
        (5, "D", "4"),
    ]


def test_a_text_of_several_lines_is_one_row() -> None:
    text = 'id,title,price\nA,"One\ntwo, ""three""\n",1\nB,Two,2\n'
    one, two = rows("p.csv", text)
    assert isinstance(one, TableRow) and isinstance(two, TableRow)
    assert one["title"] == 'One\ntwo, "three"'
    assert (two.line, two["price"]) == (5, "2")


def test_quotes_that_are_not_doubled_are_understood_within_a_line() -> None:
    [row] = rows("p.csv", 'id,title,price\nA,"Size 5" heel",1\n')
    assert isinstance(row, TableRow)
    assert (row["title"], row["price"]) == ('Size 5 heel"', "1")


def test_a_line_that_tells_excel_the_separator_is_no_header() -> None:
    assert rows("p.csv", "sep=;\r\nid;title\r\nA;One, two\r\n") == [
        TableRow(3, {"id": "A", "title": "One, two"})
    ]


def test_of_columns_of_one_name_the_first_that_says_something_counts() -> None:
    one, two = rows("p.csv", "id,image,Image\nA,1.jpg,\nB,,2.jpg\n")
    assert isinstance(one, TableRow) and isinstance(two, TableRow)
    assert (one["image"], two["image"]) == ("1.jpg", "2.jpg")


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("12.995", "12.9950"),
        ("12.5", "12.5"),
        ('{"amount": "12.50", "currencyCode": "EUR"}', "12.50 EUR"),
    ],
)
def test_prices_of_json_say_what_they_said(price: str, text: str) -> None:
    [row] = rows("p.jsonl", f'{{"id": "A", "price": {price}}}')
    assert isinstance(row, TableRow) and row["price"] == text

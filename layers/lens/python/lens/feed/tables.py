"""Tables: a product file's rows as texts by column, read as its writer's program wrote it."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import chain, islice
from typing import TextIO

from lens.errors import UsageError

SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ("\t", ",", ";", "|")
_TOLD = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # what Excel is told by a line of its own
_TELLING = 1_000  # lines of JSON that tell the columns
_CHUNK = 1 << 20
_MONEY = ("value", "amount", "currency", "currencyCode")  # keys of a price in JSON
_LONGEST_FIELD = 4 * 1024 * 1024  # a description with pictures inside is of megabytes


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with its line in the file; a column that it lacks is an empty text."""

    line: int
    fields: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.fields.get(column, "")


@dataclass(frozen=True)
class Damaged:
    """A line that is no row, and why."""

    line: int
    why: str


@dataclass(frozen=True)
class Table:
    """The columns, in lower case, and the rows, which are read as they are asked for."""

    columns: frozenset[str]
    rows: Iterator[TableRow | Damaged]


def read_table(name: str, data: bytes) -> Table:
    """The table in a file of this name. Raises UsageError when it has no columns at all."""
    if name.lower().endswith((".jsonl", ".ndjson")):
        return _json_lines(name, text_of(data, "\n"))
    return _separated(name, text_of(data, ""))


def text_of(data: bytes, newline: str) -> TextIO:
    """What is read line by line, as UTF-8 or UTF-16; what is neither was written by an old program
    on Windows. Bytes of such a program within UTF-8 cost themselves."""
    return TextIOWrapper(BytesIO(data), _encoding(data), _ERRORS, newline)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if error.encoding.lower() != "utf-8":
        return "\ufffd", error.end
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_ERRORS = "lens.as_windows"
codecs.register_error(_ERRORS, _as_windows)


def _encoding(data: bytes) -> str:
    """UTF-8 where more of its signs are whole than broken."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    whole = broken = 0
    for start in range(0, len(data) + 1, _CHUNK):
        chunk = data[start : start + _CHUNK]
        text = decoder.decode(chunk, final=start + _CHUNK > len(data))
        if text.isascii():
            continue
        bad = text.count("\ufffd")
        whole += len(text) - len(text.encode("ascii", "ignore")) - bad
        broken += bad
    return "cp1252" if broken > whole else "utf-8"


def _separated(name: str, text: TextIO) -> Table:
    lines = (line.replace("\0", "") for line in text)
    before: list[str] = []
    for line in lines:
        before.append(line)
        if line.strip("\r\n"):
            break
    start = before[-1] if before else ""
    told = _TOLD.fullmatch(start)
    delimiter = told[1] if told else max(_DELIMITERS, key=start.count)
    csv.field_size_limit(_LONGEST_FIELD)
    records = _records(_Lines(chain(before, lines)), delimiter)
    columns: list[str] = []
    for number, values in records:
        if isinstance(values, str) or (told and number == len(before)):
            continue
        if any(value.strip() for value in values):
            columns = values
            break
    named = [_column(column) for column in columns]
    if sum(map(bool, named)) < 2:
        raise UsageError(f"{name} has no columns: its first line should name them")
    return Table(frozenset(filter(None, named)), _rows(records, named))


class _Lines:
    """Lines that are taken one by one; those of a record that is none are given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []  # since a record began
        self.number = 0  # of the last one

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        """The last ones that were taken."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """The values of each record, with its first line's number; or why that line is none. A quote
    that is not closed costs its own line: those that it would swallow are read again. Within a line
    programs are understood that do not double a quote inside of quotes."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken.clear()
        number = lines.number + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            first, *swallowed = lines.taken
            if swallowed:
                lines.give_back(swallowed)
                yield number, "a quote is not closed, or not doubled inside of quotes"
                continue
            try:
                yield number, next(csv.reader([first], delimiter=delimiter))
            except csv.Error:
                yield number, f"the line cannot be read ({error})"


def _rows(
    records: Iterator[tuple[int, list[str] | str]], columns: list[str]
) -> Iterator[TableRow | Damaged]:
    fields = _first_that_says_something if len({*columns}) < len(columns) else dict
    for line, values in records:
        if isinstance(values, str):
            yield Damaged(line, values)
            continue
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(columns) and any(value.strip() for value in values[len(columns) :]):
            yield Damaged(
                line,
                f"it has {len(values)} fields where the first line names {len(columns)}: is each "
                "field that has a separator in it quoted?",
            )
            continue
        pairs = zip(columns, values, strict=False)
        yield TableRow(line, fields((column, value.strip()) for column, value in pairs if column))


def _first_that_says_something(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of columns of one name."""
    found: dict[str, str] = {}
    for column, value in pairs:
        found[column] = found.get(column) or value
    return found


def _json_lines(name: str, text: TextIO) -> Table:
    rows = _objects(text)
    first = list(islice(rows, _TELLING))
    columns = frozenset(
        column for row in first if isinstance(row, TableRow) for column in row.fields
    )
    if len(columns) < 2:
        raise UsageError(f"{name} has no products: each line should be one JSON object")
    return Table(columns, chain(first, rows))


def _objects(text: TextIO) -> Iterator[TableRow | Damaged]:
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Damaged(number, f"the line is no JSON ({error})")
            continue
        if isinstance(value, dict):
            pairs = ((_column(_whole(name)), _text(of)) for name, of in value.items())
            yield TableRow(number, _first_that_says_something(pairs))
        else:
            yield Damaged(number, "the line is no JSON object")


def _text(value: object) -> str:
    """A JSON value as a table would have it; {"value": .., "currency": ..} is a price."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        # Its point is the decimal one, also before three digits: no price takes it for thousands.
        return f"{value}0" if str(value)[-4:-3] == "." else str(value)
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if isinstance(value, dict):
        return " ".join(_text(value[key]) for key in _MONEY if key in value)
    return _whole(str(value)).strip()


def _whole(text: str) -> str:
    """With a replacement for halves of characters, which JSON can write and nothing can keep."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _column(name: str) -> str:
    """`Image Link`, `g:image_link` and `imageLink` are named alike by the dialects."""
    return _whole(name).strip().strip("\ufeff").lower().removeprefix("g:")

"""Reading: lines of several logs by time, their older parts, damaged lines and long ones."""

from __future__ import annotations

import io
import sys
import tracemalloc
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lambdas.local.searches.reading import Lines, open_logs
from lambdas.search.line_file import LineFile
from lambdas.search.search_lines import ClickLine, SearchLine, written
from lens.errors import UsageError

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def search(seconds: int) -> SearchLine:
    return SearchLine(
        time=NOON + timedelta(seconds=seconds),
        search_id=f"{seconds:016d}",
        kind="photo",
        category=None,
        group="item",
        match="same",
        match_probability=0.9,
        hits=1,
        items=("a",),
    )


def click(seconds: int) -> ClickLine:
    return ClickLine(
        time=NOON + timedelta(seconds=seconds), search_id=f"{seconds:016d}", item_id="a", rank=1
    )


def read(
    *names: Path | str, since: datetime | None = None
) -> tuple[list[SearchLine | ClickLine], int]:
    """The lines, and how many were unreadable."""
    with ExitStack() as opened:
        lines = Lines(open_logs([str(name) for name in names], opened), since)
        return list(lines), lines.unreadable


def write(path: Path, lines: Sequence[SearchLine | ClickLine]) -> Path:
    path.write_bytes(b"".join(map(written, lines)))
    return path


def test_two_servers_logs_are_one_by_time(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [search(1), click(1), search(5)])
    b = write(tmp_path / "b", [search(2), search(3)])
    assert read(a, b)[0] == [search(1), click(1), search(2), search(3), search(5)]


def test_a_log_is_read_with_its_older_parts_each_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LineFile(path, 4_000)
    for seconds in range(18):
        file.append(written(search(seconds)))
    parts = sorted(tmp_path.iterdir())
    assert len(parts) == 4
    kept, unreadable = read(path)
    assert kept == [search(seconds) for seconds in range(18 - len(kept), 18)] and len(kept) > 9
    assert read(*parts) == (kept, unreadable) == (kept, 0)
    path.unlink()
    assert read(path)[0] == kept[: len(read(path)[0])] != []


def test_a_click_of_the_same_second_comes_after_its_search_in_an_older_part(tmp_path: Path) -> None:
    write(tmp_path / "log.1", [search(1)])
    assert read(write(tmp_path / "log", [click(1)]))[0] == [search(1), click(1)]


DAMAGED = (
    written(search(9))[:60],  # cut off
    b"lens: the newest gallery cannot be loaded",
    b'{"route": "/api/search-image", "ms": 12}',
    b"\xff\x00\xfe",
    written(search(9)).replace(b'"hits":1', b'"hits":-1').rstrip(),
    written(search(9)).replace(b"Z", b"").rstrip(),  # a time of no zone cannot be compared
    b"[" * 10_000,
    b"x" * 300_000,
    b'{"event":"search","items":["' + b"y" * 300_000,
)


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_line_costs_itself_and_is_counted(damaged: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(written(search(1)) + damaged + b"\n\n" + written(search(2)))
    assert read(path) == ([search(1), search(2)], 1)


def test_a_log_whose_last_line_is_being_written_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [search(1), search(2)])
    path.write_bytes(path.read_bytes()[:-20])
    assert read(path) == ([search(1)], 1)


def test_since_leaves_out_what_is_older(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [search(second) for second in range(5)])
    assert read(path, since=NOON + timedelta(seconds=3))[0] == [search(3), search(4)]


def test_a_long_log_and_a_line_without_end_take_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [search(1)] * 20_000)
    with path.open("ab") as file:
        file.write(b"x" * 8_000_000)
    with ExitStack() as opened:
        lines = Lines(open_logs([str(path)], opened))
        tracemalloc.start()
        assert sum(1 for _ in lines) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert lines.unreadable == 1
    assert peak < 1_000_000


def test_standard_input_may_be_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(written(search(1)))))
    assert read("-") == ([search(1)], 0)


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the search log .*missing: No such file"):
        read(tmp_path / "missing")

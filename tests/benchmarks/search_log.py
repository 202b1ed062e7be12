"""The search log: what a line costs a search, and what `lens report` takes for many.

python -m tests.benchmarks.search_log [--lines 1000000]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lambdas.local.cli import main as lens
from lambdas.search.search_lines import ClickLine, SearchLine, written
from lambdas.search.search_log import SearchLog, search_log
from lens.search.results import Hit, Results
from lens.settings import Settings

_SEARCHES = 20_000
_ITEMS = 5_000


def main() -> None:
    """Print microseconds of a search, with and without the log, and what a report takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "searches.jsonl"
        for name, log in (
            ("off", SearchLog(None)),
            ("on", search_log(Settings(search_log=str(file)))),
        ):
            spent = sorted(_spent(log))
            print(
                f"log {name}: {statistics.median(spent):.1f} µs a search, "
                f"{spent[int(len(spent) * 0.99)]:.0f} in one of a hundred, {spent[-1]:.0f} at most"
            )
        made = Path(folder) / "made.jsonl"
        with made.open("wb") as out:
            out.writelines(_lines(lines))
        began = time.monotonic()
        with suppress(SystemExit):
            lens(["report", str(made)])
        took = time.monotonic() - began
        size = made.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"report of {lines} lines, {size:.0f} MB: {took:.1f} s, {peak:.0f} MiB at most")


def _spent(log: SearchLog) -> Iterator[float]:
    """Microseconds of each of many searches."""
    hits = tuple(
        Hit(rank, _item(0, rank), f"{_item(0, rank)}/1.jpg", "", "WOMEN/Dresses", 0.8)
        for rank in range(1, 13)
    )
    found = Results("model", 17, hits, match_probability=0.8, match="very_similar")
    for _ in range(_SEARCHES):
        began = time.perf_counter()
        log.searched("photo", found, "WOMEN/Dresses", "item")
        yield (time.perf_counter() - began) * 1e6


def _lines(number: int) -> Iterator[bytes]:
    """One line in ten is a click on what the search before it has found."""
    for n in range(number):
        search = f"{n - (n % 10 == 9):016d}"
        if n % 10 == 9:
            yield written(
                ClickLine(time=_time(n), search_id=search, item_id=_item(n - 1, 0), rank=1)
            )
            continue
        yield written(
            SearchLine(
                time=_time(n),
                search_id=search,
                kind="photo",
                category=None,
                group="item",
                match="very_similar",
                match_probability=0.8,
                hits=12,
                items=tuple(_item(n, place) for place in range(5)),
            )
        )


def _item(search: int, place: int) -> str:
    return f"WOMEN/Dresses/id_{(search * 7 + place) % _ITEMS:08d}"


def _time(line: int) -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=line)


if __name__ == "__main__":
    main()

"""The gallery's rules, played on LanceDB through S3: what holds is said, and what each step costs.

A version of the table stands for a commit, a tag for a pin, `merge_insert` for a segment's rows.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from tests.benchmarks.engine_search import Effort, ask, open_table
from tests.benchmarks.engine_table import ALIVE, COMMITS, Rows, batch
from tests.benchmarks.s3_disk import Disk
from tests.benchmarks.synthetic_gallery import Vectors

WRITERS, ROUNDS = 4, 5
_ADDED = 1_000
_NEW = COMMITS + 1
_EFFORT = Effort(32, 20)
_HIGHEST_WINS = "target.commit < source.commit"


def fresh_rows(vectors: Vectors, first: int, commit: int) -> Rows:
    """Rows of a new commit, numbered from `first`."""
    count = len(vectors)
    return Rows(
        np.arange(first, first + count),
        np.full(count, commit, np.int32),
        np.full(count, ALIVE, np.int32),
        np.zeros(count, np.int16),
        vectors,
    )


def add(table: Any, rows: Rows) -> None:
    """One commit: of rows with one id the highest commit stays, whoever comes first."""
    import pyarrow

    merge = table.merge_insert("id").when_matched_update_all(where=_HIGHEST_WINS)
    merge.when_not_matched_insert_all().execute(pyarrow.Table.from_batches([batch(rows)]))


def play(disk: Disk, asked: Vectors) -> Iterator[str]:
    """Lines of Markdown. It writes to the table; play on a copy."""
    table, reader, pinned = open_table(disk), open_table(disk), open_table(disk)
    count, version = table.count_rows(), table.version
    table.tags.create("pin", version)
    pinned.checkout("pin")
    new = fresh_rows(asked[:_ADDED], count, _NEW)
    before = ask(reader, new.vector[0], "", _EFFORT)

    yield "| step | ms | requests | KiB read, written |\n| --- | --: | --: | --: |"
    yield _cost(disk, f"append {len(new.id)} rows", lambda: table.add(batch(new)))
    yield _cost(disk, "a question then", lambda: ask(table, new.vector[1], "", _EFFORT))
    found = ask(table, new.vector[0], "", _EFFORT)
    still = ask(reader, new.vector[0], "", _EFFORT)
    at_pin = ask(pinned, new.vector[0], "", _EFFORT)
    condemned = ", ".join(str(number) for number in [*before[:1], *range(_ADDED)])
    where = f"id IN ({condemned})"
    yield _cost(disk, f"delete {_ADDED} rows", lambda: table.delete(where))
    after = ask(table, new.vector[0], "", _EFFORT)
    pinned_still = ask(pinned, new.vector[0], "", _EFFORT)
    guarded = ask(pinned, new.vector[0], f"NOT ({where})", _EFFORT)
    some = f"id >= {_ADDED} AND id < {2 * _ADDED}"
    yield _cost(
        disk, f"mark {_ADDED} rows beaten", lambda: table.update(some, values={"beaten": _NEW})
    )
    again = fresh_rows(new.vector, 2 * _ADDED, _NEW)
    yield _cost(disk, f"merge {len(again.id)} rows by id", lambda: add(table, again))
    stats = table.index_stats("vector_idx")
    yield _cost(disk, "optimize: compact, index what is new", table.optimize)
    cleaned = "yes"
    try:
        table.cleanup_old_versions(timedelta(0), delete_unverified=True)
    except Exception as error:
        cleaned = f"refused ({str(error)[:60]})"
    kept = ask(pinned, new.vector[0], "", _EFFORT) == at_pin

    yield "\n| rule | holds |\n| --- | --- |"
    yield _rule("an appended photo is found at once", count in found)
    yield _rule("a reader stays at its version until it asks for the next", still == before)
    yield _rule("a pin answers as before", at_pin == before)
    yield _rule("a deleted photo is gone", before[0] not in after)
    yield _rule("a deletion passes through the pin by itself", before[0] not in pinned_still)
    yield _rule("... with the dead filtered out by us", before[0] not in guarded)
    yield _rule("a cleanup keeps what a pin holds", kept, cleaned)
    yield (
        f"\nUnindexed before optimize: {stats.num_unindexed_rows}; "
        f"after: {table.index_stats('vector_idx').num_unindexed_rows}."
    )
    yield from race(disk)


def race(disk: Disk) -> Iterator[str]:
    """Writers at once: rows of their own, then one row that all of them want."""
    table = open_table(disk)
    table.checkout_latest()
    count, version, first = table.count_rows(), table.version, int(1e9)
    since = time.perf_counter()
    failed = _at_once(disk, "own", first)
    table.checkout_latest()
    rows, versions = table.count_rows() - count, table.version - version
    spent = time.perf_counter() - since
    yield (
        f"\n{WRITERS} processes append {ROUNDS} times each: {rows} of {WRITERS * ROUNDS} rows, "
        f"{versions} versions, {failed} processes failed, {spent:.1f} s."
    )
    failed = _at_once(disk, "one", first * 2)
    table.checkout_latest()
    same = table.search().where(f"id = {first * 2}").select(["commit"]).to_arrow()["commit"]
    highest = WRITERS * ROUNDS + _NEW - 1
    yield (
        f"{WRITERS} processes merge one id {ROUNDS} times each: {len(same)} row(s) of it, of "
        f"commit(s) {same.to_pylist()}, highest written {highest}; {failed} processes failed."
    )


def _at_once(disk: Disk, what: str, first: int) -> int:
    command = [sys.executable, "-m", "tests.benchmarks.engine_rules", disk.address, what]
    writers = [subprocess.Popen([*command, str(first), str(i)]) for i in range(WRITERS)]
    return sum(writer.wait() != 0 for writer in writers)


def _cost(disk: Disk, name: str, step: Callable[[], object]) -> str:
    disk.counts()
    since = time.perf_counter()
    step()
    spent = (time.perf_counter() - since) * 1e3
    counts = disk.counts()
    requests = sum(number for method, number in counts.items() if not method.startswith("bytes"))
    read, written = counts.get("bytes", 0) / 1024, counts.get("bytes sent", 0) / 1024
    return f"| {name} | {spent:.0f} | {requests} | {read:.0f}, {written:.0f} |"


def _rule(name: str, holds: bool, more: str = "") -> str:
    return f"| {name} | {'yes' if holds else 'NO'}{f'; {more}' if more else ''} |"


def main(arguments: Sequence[str]) -> None:
    """One of the writers that race."""
    address, what, first, writer = arguments[0], arguments[1], int(arguments[2]), int(arguments[3])
    table = open_table(Disk(address))
    dim = table.schema.field("vector").type.list_size
    vector = np.eye(1, dim, dtype=np.float32)
    for turn in range(ROUNDS):
        number = turn * WRITERS + writer
        if what == "own":
            table.add(batch(fresh_rows(vector, first + number, _NEW)))
        else:
            # Each writer's commits come out of order, as late events do.
            add(table, fresh_rows(vector, first, _NEW + (ROUNDS - 1 - turn) * WRITERS + writer))


if __name__ == "__main__":
    main(sys.argv[1:])

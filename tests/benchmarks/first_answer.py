"""Cold start: a fresh process with a cold page cache, to its first answer.

The project as Lambda's runtime starts it, its handler given an event; the baselines load their
files from the local disk and answer the same photo through their ASGI apps.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.answer import search_event
from tests.benchmarks.contender import EAGER, PROJECT, THE_BASELINES
from tests.benchmarks.figures import Spread, markdown, number, ratios, spread
from tests.benchmarks.machine import ROOT
from tests.benchmarks.report import Row, in_columns
from tests.benchmarks.workload import photos_of, prepared

WANTED = "wall ≤ 1/5 of (a), goal ≤ 1.5 s"
WANTED_MEMORY = "≤ 1/3 of (a)"
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")
# What Lambda's runtime does: import the handler, then hand it an event.
_LAMBDA = (
    "import json, pathlib, sys\n"
    "from lambdas.search.handler import handler\n"
    "event = json.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
    "print(handler(event, None)['body'], flush=True)\n"
)


@dataclass(frozen=True)
class Start:
    """One cold start: seconds to the answer, CPU seconds and MiB at the peak of the process."""

    wall: float
    cpu: float
    peak_mib: float


def run(quick: bool) -> dict[str, Any]:
    """Project and baselines in turns."""
    folder = prepared(quick)
    with tempfile.TemporaryDirectory() as work:
        event = Path(work) / "event.json"
        event.write_text(json.dumps(search_event(photos_of(folder)[0])))
        artifacts = {
            "LENS_CATALOG": str(folder / "catalog"),
            "LENS_ARTIFACTS": str(folder / "artifacts"),
        }
        starts = measure(commands(folder, event), artifacts, times=2 if quick else 7)
    return figures_of(starts)


def commands(folder: Path, event: Path) -> dict[str, list[str]]:
    """What is started; each prints its answer as a line."""
    project = [sys.executable, "-c", _LAMBDA, str(event)]
    baselines = {kind.name: kind.command(folder, "--once", str(event)) for kind in THE_BASELINES}
    return {PROJECT: project, **baselines}


def measure(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], times: int
) -> dict[str, list[Start]]:
    """Start every command so many times, taking turns, with what files it reads not in memory
    (where this may empty the page cache: as root)."""
    starts: dict[str, list[Start]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            _drop_caches()
            starts[name].append(_start(name, command, environment))
    return starts


def figures_of(starts: Mapping[str, Sequence[Start]]) -> dict[str, Any]:
    """Spreads, and ratios to the first baseline."""
    columns = {
        name: {key: [getattr(each, key) for each in runs] for key in ("wall", "cpu", "peak_mib")}
        for name, runs in starts.items()
    }
    return {
        "times": len(starts[PROJECT]),
        "cold": os.access(_DROP_CACHES, os.W_OK),
        "contenders": {
            name: {
                **{key: spread(values) for key, values in of.items()},
                "wall_ratio": ratios(of["wall"], columns[EAGER]["wall"]),
                "peak_ratio": ratios(of["peak_mib"], columns[EAGER]["peak_mib"]),
            }
            for name, of in columns.items()
        },
    }


def rows(figures: dict[str, Any]) -> list[Row]:
    """Wall time and memory."""
    of = figures["contenders"]
    wall, peak = in_columns(of, "wall"), in_columns(of, "peak_mib")
    faster, smaller = (1 / of[PROJECT][key][0] for key in ("wall_ratio", "peak_ratio"))
    return [
        Row("cold start to first answer, s", *wall, f"1/{number(faster)}", WANTED),
        Row("peak memory then, MiB", *peak, f"1/{number(smaller)}", WANTED_MEMORY),
    ]


def table(figures: dict[str, Any]) -> str:
    """Every contender."""
    keys = ("wall", "cpu", "peak_mib", "wall_ratio", "peak_ratio")
    lines = [
        (name, *(str(Spread(*of[key])) for key in keys))
        for name, of in figures["contenders"].items()
    ]
    header = ("", "wall s", "CPU s", "peak MiB", "wall to (a)", "peak to (a)")
    cache = "emptied before each" if figures["cold"] else "not emptied, which needs root"
    return (
        f"{markdown(header, lines)}\n\n{figures['times']} fresh processes each, in turns; "
        f"page cache {cache}. Wanted: {WANTED}; memory {WANTED_MEMORY}."
    )


def _drop_caches() -> None:
    if os.access(_DROP_CACHES, os.W_OK):
        os.sync()
        _DROP_CACHES.write_text("1")


def _start(name: str, command: Sequence[str], environment: Mapping[str, str]) -> Start:
    since = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    answer = process.stdout.readline()
    wall = time.perf_counter() - since
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or not json.loads(answer)["hits"]:
        raise RuntimeError(f"{name} ended with status {process.returncode}: {answer[:200]!r}")
    return Start(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

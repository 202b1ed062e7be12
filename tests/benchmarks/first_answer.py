"""Cold start: a fresh process with a cold page cache, to its first answer.

The project as Lambda's runtime starts it, its handler given an event; the baselines answer the same
photo through their ASGI apps. All fetch their files from the same S3 stand-in on this machine.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import cold_start
from tests.benchmarks.answer import search_event
from tests.benchmarks.cold_start import DROP_CACHES, Start
from tests.benchmarks.contender import EAGER, PROJECT, THE_BASELINES
from tests.benchmarks.figures import Spread, markdown, number, ratios, spread
from tests.benchmarks.report import Row, in_columns
from tests.benchmarks.s3_folder import s3_folder
from tests.benchmarks.workload import photos_of, prepared

WANTED = "wall ≤ 1/5 of (a), goal ≤ 1.5 s"
WANTED_MEMORY = "≤ 1/3 of (a)"


def run(quick: bool) -> dict[str, Any]:
    """Project and baselines in turns."""
    folder = prepared(quick)
    with tempfile.TemporaryDirectory() as work, s3_folder(folder) as s3:
        event = Path(work) / "event.json"
        event.write_text(json.dumps(search_event(photos_of(folder)[0])))
        places = {"LENS_CATALOG": "s3://bench/catalog", "LENS_ARTIFACTS": "s3://bench/artifacts"}
        times = 2 if quick else 7
        starts = cold_start.measure(commands(folder, event), s3 | places, times)
    return figures_of(starts)


def commands(folder: Path, event: Path) -> dict[str, list[str]]:
    """What is started; each prints its answer as a line."""
    project = [sys.executable, "-c", cold_start.PROJECT, str(event)]
    baselines = {kind.name: kind.command(folder, "--once", str(event)) for kind in THE_BASELINES}
    return {PROJECT: project, **baselines}


def figures_of(starts: Mapping[str, Sequence[Start]]) -> dict[str, Any]:
    """Spreads, and ratios to the first baseline."""
    columns = {
        name: {key: [getattr(each, key) for each in runs] for key in ("wall", "cpu", "peak_mib")}
        for name, runs in starts.items()
    }
    return {
        "times": len(starts[PROJECT]),
        "cold": os.access(DROP_CACHES, os.W_OK),
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

"""Throughput: photos embedded per CPU-second, by the project's embedding stage and by batches.

The project's stage does all that a catalog's photo needs: it reads, decodes, hashes and embeds it,
and writes thumbnail and segment. The baseline decodes photos and embeds them in one batch. All
cores may be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.contender import EAGER, ONNX, PROJECT, Contender, Kind
from tests.benchmarks.figures import Spread, markdown, number, ratios, spread
from tests.benchmarks.report import Row, in_columns
from tests.benchmarks.workload import prepared

KINDS = (Kind(PROJECT, "project", 0), Kind(EAGER, "torch", 0), Kind(ONNX, "onnx", 0))
WANTED = "≥ 4x (a)"


def run(quick: bool) -> dict[str, Any]:
    """Batches in turns."""
    return measure(prepared(quick), KINDS, rounds=2 if quick else 5, batch=8 if quick else 16)


def measure(folder: Path, kinds: Sequence[Kind], rounds: int, batch: int) -> dict[str, Any]:
    """Photos per second of CPU, and of the clock."""
    photos = len(list((folder / "catalog").iterdir()))
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(kind, folder)) for kind in kinds]
        for contender in contenders:
            contender.embed([0])
        samples = [
            [c.embed([(start * batch + i) % photos for i in range(batch)]) for c in contenders]
            for start in range(rounds)
        ]
        columns = {c.name: [turn[i] for turn in samples] for i, c in enumerate(contenders)}
    rates = {name: [batch / sample.cpu for sample in column] for name, column in columns.items()}
    return {
        "rounds": rounds,
        "batch": batch,
        "contenders": {
            name: {
                "per_cpu_second": spread(rates[name]),
                "per_second": spread([batch / sample.wall for sample in column]),
                "ratio": ratios(rates[name], rates[EAGER]),
            }
            for name, column in columns.items()
        },
    }


def rows(figures: dict[str, Any]) -> list[Row]:
    """Photos per CPU-second."""
    of = figures["contenders"]
    rates = in_columns(of, "per_cpu_second")
    ratio = f"{number(of[PROJECT]['ratio'][0])}x"
    return [Row("catalog photos embedded per CPU-second", *rates, ratio, WANTED)]


def table(figures: dict[str, Any]) -> str:
    """Every contender."""
    keys = ("per_cpu_second", "per_second", "ratio")
    lines = [
        (name, *(str(Spread(*of[key])) for key in keys))
        for name, of in figures["contenders"].items()
    ]
    header = ("", "photos per CPU-second", "photos per second", "CPU to (a)")
    return (
        f"{markdown(header, lines)}\n\n{figures['rounds']} batches of {figures['batch']} photos "
        f"each, in turns, all cores. Wanted: {WANTED}."
    )

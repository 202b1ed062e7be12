"""Warm query: photo bytes to JSON, the model and the gallery in memory, one photo at a time.

The project through its Lambda handler and an event of API Gateway, the baselines through their
ASGI apps; all on one thread, and torch once more on all cores, for its wall time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from tests.benchmarks.contender import (
    EAGER,
    PROJECT,
    THE_BASELINES,
    THE_PROJECT,
    Contender,
    Kind,
)
from tests.benchmarks.figures import Spread, markdown, number, ratios, spread
from tests.benchmarks.peak import gemm_peak, vit_operations
from tests.benchmarks.report import Row, in_columns
from tests.benchmarks.workload import prepared

ALL_CORES = Kind("torch fp32, all cores", "torch", threads=0)
WANTED = "CPU ≤ 1/6 of (a), goal 1/10"
_WARM_UP = 2


def run(quick: bool) -> dict[str, Any]:
    """Ratios over rounds in which every contender answers the same photo."""
    folder = prepared(quick)
    rounds = 6 if quick else 40
    kinds = [THE_PROJECT, *precisions(folder), *THE_BASELINES, ALL_CORES]
    figures = measure(folder, kinds, rounds)
    figures["gflop"] = gflop(json.loads((folder / "scale.json").read_text()))
    figures["peak"] = {precision: _peak(precision) for precision in ("fp32", "int8")}
    return figures


def precisions(folder: Path) -> list[Kind]:
    """The project in each of its model's precisions, where it has more than one."""
    (manifest,) = (folder / "artifacts" / "models").glob("*/manifest.json")
    names = json.loads(manifest.read_text())["variants"]
    return [
        Kind(f"{PROJECT}, {name}", "project", environment=(("LENS_PRECISION", name),))
        for name in names
        if len(names) > 1
    ]


def measure(folder: Path, kinds: Sequence[Kind], rounds: int) -> dict[str, Any]:
    """Every contender's CPU and wall milliseconds, peak memory, and agreement with the first
    baseline; ratios are the project's to each other's."""
    photos = len(list((folder / "catalog").iterdir()))
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(kind, folder)) for kind in kinds]
        for photo in range(_WARM_UP):
            for contender in contenders:
                contender.search(-1 - photo)  # the last ones, so that the first are new
        samples = [[c.search(photo % photos) for c in contenders] for photo in range(rounds)]
        columns = {c.name: [turn[i] for turn in samples] for i, c in enumerate(contenders)}
        facts = {c.name: c.facts for c in contenders}
        peaks = {c.name: c.peak_mib() for c in contenders}
    reference = [sample.items for sample in columns[EAGER]]
    cpu = {name: [1000 * sample.cpu for sample in column] for name, column in columns.items()}
    wall = {name: [1000 * sample.wall for sample in column] for name, column in columns.items()}
    return {
        "rounds": rounds,
        "contenders": {
            name: {
                "cpu_ms": spread(cpu[name]),
                "wall_ms": spread(wall[name]),
                "cpu_ratio": ratios(cpu[name], cpu[EAGER]),
                "peak_mib": peaks[name],
                "same_first": sum(
                    sample.items == expected
                    for sample, expected in zip(column, reference, strict=True)
                )
                / rounds,
                **facts[name],
            }
            for name, column in columns.items()
        },
    }


def rows(figures: dict[str, Any]) -> list[Row]:
    """CPU and wall time."""
    of = figures["contenders"]
    cpu, wall = in_columns(of, "cpu_ms"), in_columns(of, "wall_ms")
    ratio = of[PROJECT]["cpu_ratio"]
    return [
        Row("warm query, CPU ms", *cpu, f"1/{number(1 / ratio[0])}", WANTED),
        Row("warm query, wall ms, one thread", *wall, "", ""),
    ]


def table(figures: dict[str, Any]) -> str:
    """Every contender, with its share of the machine's peak."""
    work = figures["gflop"]
    lines = []
    for name, of in figures["contenders"].items():
        rate = work / of["cpu_ms"][0] * 1000
        peak = figures["peak"]["fp32" if of["precision"] == "fp32" else "int8"]
        lines.append(
            (
                f"{name} ({of['precision']})" if name == PROJECT else name,
                str(Spread(*of["cpu_ms"])),
                str(Spread(*of["wall_ms"])),
                str(Spread(*of["cpu_ratio"])),
                f"{of['peak_mib']:.0f}",
                f"{rate:.0f}, {rate / peak:.0%}" if work else "",
                f"{of['same_first']:.0%}",
            )
        )
    header = ("", "CPU ms", "wall ms", "CPU to (a)", "peak MiB", "GFLOP/s, of peak", "same first")
    return (
        f"{markdown(header, lines)}\n\n"
        f"{figures['rounds']} rounds, each of the same photo; median (least–greatest). One core's "
        f"measured peak in matrix products is {figures['peak']['fp32']:.0f} GFLOP/s in fp32 and "
        f"{figures['peak']['int8']:.0f} in int8; the model as it is written costs {work:.1f} GFLOP "
        f"a photo, and what a runtime leaves out counts as done. Wanted: {WANTED}."
    )


def gflop(scale: dict[str, Any]) -> float:
    """Billions of operations of the plain model, by its published shape; 0 where that is not
    known."""
    shapes = {"facebook/dinov2-small": (384, 12), "facebook/dinov2-base": (768, 12)}
    if scale["backbone"] not in shapes:
        return 0.0
    width, blocks = shapes[scale["backbone"]]
    operations = vit_operations(size=scale["size"], width=width, blocks=blocks, cls_only=False)
    return operations / 1e9


def _peak(precision: Literal["fp32", "int8"]) -> float:
    return gemm_peak(precision) / 1e9

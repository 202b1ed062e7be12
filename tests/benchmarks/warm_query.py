"""Warm query: photo bytes to JSON, the model and the gallery in memory, one photo at a time.

The project through its Lambda handler and an event of API Gateway, the baselines through their
ASGI apps; all on one thread, and torch once more on all cores, for its wall time. Photos are a
shop's, a half of whose patches is white backdrop, and the same without anything blank.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.contender import (
    EAGER,
    PROJECT,
    THE_BASELINES,
    THE_PROJECT,
    Contender,
    Kind,
    Sample,
)
from tests.benchmarks.figures import Spread, markdown, number, ratios, spread
from tests.benchmarks.peak import Precision, gemm_peak, vit_operations
from tests.benchmarks.report import Row, in_columns
from tests.benchmarks.weights import patches_seen
from tests.benchmarks.workload import prepared

ALL_CORES = Kind("torch fp32, all cores", "torch", threads=0)
WANTED = "CPU ≤ 1/6 of (a), goal 1/10"
_TITLES = {"catalog": "catalog photos", "filled": "photos without anything blank"}
_WARM_UP = 2


def run(quick: bool) -> dict[str, Any]:
    """Ratios over rounds in which every contender answers the same photo, then the same filled."""
    folder = prepared(quick)
    rounds = 6 if quick else 40
    kinds = [THE_PROJECT, *precisions(folder), *THE_BASELINES, ALL_CORES]
    figures = measure(folder, kinds, rounds)
    figures["peak"] = {precision: _peak(precision) for precision in ("fp32", "int8", "int7")}
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
    baseline; ratios are to the first baseline's. "filled" has the same of photos without anything
    blank."""
    scale = json.loads((folder / "scale.json").read_text())
    seen = patches_seen(folder)
    count = len(seen["catalog"])
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(kind, folder)) for kind in kinds]
        for photo in range(_WARM_UP):
            for contender in contenders:
                contender.search(-1 - photo)  # the last ones, so that the first are new
        samples = [
            [[c.search(place + turn % count) for c in contenders] for place in (0, count)]
            for turn in range(rounds)
        ]
        facts = {c.name: c.facts | {"peak_mib": c.peak_mib()} for c in contenders}
    figures: dict[str, Any] = {"rounds": rounds}
    for place, name in enumerate(("catalog", "filled")):
        columns = {c: [turn[place][i] for turn in samples] for i, c in enumerate(facts)}
        looked_at = {name: seen[name][:rounds], "all": [max(seen["filled"])]}
        figures[name] = {
            "gflop": {which: _gflop(scale, counts) for which, counts in looked_at.items()},
            "contenders": {
                contender: facts[contender] | _figures_of(column, columns[EAGER])
                for contender, column in columns.items()
            },
        }
    return figures


def _figures_of(samples: Sequence[Sample], reference: Sequence[Sample]) -> dict[str, Any]:
    cpu, reference_cpu = ([1000 * each.cpu for each in some] for some in (samples, reference))
    same = [a.items == b.items for a, b in zip(samples, reference, strict=True)]
    return {
        "cpu_ms": spread(cpu),
        "wall_ms": spread([1000 * sample.wall for sample in samples]),
        "cpu_ratio": ratios(cpu, reference_cpu),
        "same_first": sum(same) / len(same),
    }


def rows(figures: dict[str, Any]) -> list[Row]:
    """CPU and wall time."""
    lines = []
    for name, title in _TITLES.items():
        of = figures[name]["contenders"]
        cpu, wall = in_columns(of, "cpu_ms"), in_columns(of, "wall_ms")
        ratio = f"1/{number(1 / of[PROJECT]['cpu_ratio'][0])}"
        lines.append(Row(f"warm query, {title}, CPU ms", *cpu, ratio, WANTED))
        lines.append(Row(f"warm query, {title}, wall ms, one thread", *wall, "", ""))
    return lines


def table(figures: dict[str, Any]) -> str:
    """Every contender, with its share of the machine's peak."""
    tables = [
        f"{title[0].upper()}{title[1:]}:\n\n{_table(figures[name], name, figures['peak'])}"
        for name, title in _TITLES.items()
    ]
    peak, gflop = figures["peak"], figures["catalog"]["gflop"]
    return "\n\n".join(
        (
            *tables,
            f"{figures['rounds']} rounds, each of the same photo; median (least–greatest). One "
            f"core's measured peak in matrix products is {peak['fp32']:.0f} GFLOP/s in fp32, "
            f"{peak['int8']:.0f} in int8 and {peak['int7']:.0f} in int8 with weights of 7 bits. "
            f"{_chosen(figures)} The model as it is written costs {gflop['all']:.1f} "
            f"GFLOP a photo, and {gflop['catalog']:.1f} for the patches of these catalog photos "
            "that are not blank, which are all that the project computes; what else a runtime "
            f"leaves out counts as done. Wanted: {WANTED}.",
        )
    )


def _chosen(figures: dict[str, Any]) -> str:
    project = figures["catalog"]["contenders"][PROJECT]
    if project.get("milliseconds") is None:
        return ""
    return (
        f"The project chose {project['precision']} by measuring each form on two photos, one "
        f"with a blank half ({project['milliseconds']:.0f} ms on average)."
    )


def _table(figures: dict[str, Any], name: str, peaks: dict[str, float]) -> str:
    lines = []
    for contender, of in figures["contenders"].items():
        work = figures["gflop"][name if contender.startswith(PROJECT) else "all"]
        rate = work / of["cpu_ms"][0] * 1000
        peak = peaks[of["precision"].partition("-")[0]]
        lines.append(
            (
                f"{contender} ({of['precision']})" if contender == PROJECT else contender,
                str(Spread(*of["cpu_ms"])),
                str(Spread(*of["wall_ms"])),
                str(Spread(*of["cpu_ratio"])),
                f"{of['peak_mib']:.0f}",
                f"{rate:.0f}, {rate / peak:.0%}" if work else "",
                # No filled photo is in the gallery, and random weights find nothing else like it.
                f"{of['same_first']:.0%}" if name == "catalog" else "",
            )
        )
    header = ("", "CPU ms", "wall ms", "CPU to (a)", "peak MiB", "GFLOP/s, of peak", "same first")
    return markdown(header, lines)


def _gflop(scale: dict[str, Any], patches: Sequence[int]) -> float:
    """Billions of operations a photo of the plain model, on average over photos of which these
    many patches are looked at; 0 where the model's shape is not known."""
    shapes = {"facebook/dinov2-small": (384, 12), "facebook/dinov2-base": (768, 12)}
    if scale["backbone"] not in shapes:
        return 0.0
    width, blocks = shapes[scale["backbone"]]
    operations = [
        vit_operations(patches=count, width=width, blocks=blocks, cls_only=False)
        for count in patches
    ]
    return statistics.mean(operations) / 1e9


def _peak(precision: Precision) -> float:
    return gemm_peak(precision) / 1e9

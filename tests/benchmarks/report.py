"""The report: one table of project beside baselines, the benchmarks' own tables, and the JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.benchmarks.contender import EAGER, ONNX, PROJECT
from tests.benchmarks.figures import Spread, markdown
from tests.benchmarks.machine import summary

HEADER = ("", "project", "(a) torch", "(b) ORT fp32", "ratio to (a)", "wanted")


@dataclass(frozen=True)
class Row:
    """A line of the one table; figures are text, "" where there is none."""

    figure: str  # what is measured, and its unit
    project: str
    eager: str  # baseline (a)
    onnx: str  # baseline (b)
    ratio: str  # project to (a), as the target has it
    wanted: str  # the target or the prediction


def in_columns(contenders: Mapping[str, Any], key: str) -> tuple[str, str, str]:
    """A figure of the project and of both baselines, with its spread."""
    project, eager, onnx = (str(Spread(*contenders[name][key])) for name in (PROJECT, EAGER, ONNX))
    return project, eager, onnx


def write_json(file: Path, results: Mapping[str, Any]) -> None:
    """Write all that is known so far; a reader sees the old file or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(results, indent=1) + "\n")
    draft.replace(file)


def render(results: Mapping[str, Any], modules: Mapping[str, ModuleType]) -> str:
    """The results as Markdown; what failed says so in its place."""
    first: list[tuple[str, ...]] = []
    parts: list[str] = []
    for name, result in results["benchmarks"].items():
        title = (modules[name].__doc__ or name).partition("\n")[0].rstrip(".")
        if "error" in result:
            parts.append(f"### {title}\n\nFailed: {result['error'].strip().splitlines()[-1]}")
            continue
        figures = result["figures"]
        rows = getattr(modules[name], "rows", None)
        for row in rows(figures) if rows else ():
            first.append((row.figure, row.project, row.eager, row.onnx, row.ratio, row.wanted))
        parts.append(f"### {title}\n\n{modules[name].table(figures)}")
    together = [markdown(HEADER, first)] if first else []
    quick = "Quick run: few rounds, few photos. " if results["quick"] else ""
    host = f"{summary(results['machine'])}. {quick}Ratios are of this run; another host has others."
    return "\n\n".join([host, *together, *parts])

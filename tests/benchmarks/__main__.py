"""Runs the benchmarks, each in a process of its own; prints one report, and keeps it as JSON.

    python -m tests.benchmarks [NAME ...] [--quick] [--keep] [--output FILE]

`make bench` and `make bench QUICK=1` run all of them. What has been measured is written after each
benchmark, so an interrupted run loses only what it was at. `--keep` takes the workload of the last
run instead of making it anew.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import machine, report
from tests.benchmarks.workload import FOLDER

BENCHMARKS = (
    "warm_query",
    "first_answer",
    "throughput",
    "load_curve",
    "quality",
    "index_search",
    "gallery_growth",
    "compaction_cost",
)
_NEEDED = ("torch", "transformers", "onnxscript", "onnxruntime", "faiss", "fastapi", "uvicorn")
_SECONDS = 900  # for one benchmark


def run(
    names: Sequence[str], output: Path, *, quick: bool, seconds: float = _SECONDS
) -> dict[str, Any]:
    """Run benchmarks by the names of their modules; what each came to, or how it failed."""
    results: dict[str, Any] = {
        "machine": machine.describe(),
        "quick": quick,
        "command": " ".join(sys.argv),
        "benchmarks": {},
    }
    print(machine.summary(results["machine"]), file=sys.stderr, flush=True)
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        since = time.monotonic()
        result = _apart(name, quick, seconds)
        result["seconds"] = round(time.monotonic() - since, 1)
        results["benchmarks"][name] = result
        report.write_json(output, results)
    return results


def module(name: str) -> Any:
    """A benchmark's module; a dotted name is one of another package."""
    return importlib.import_module(name if "." in name else f"tests.benchmarks.{name}")


def missing() -> list[str]:
    """Packages that the benchmarks need and that are not installed."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: all were measured; 1: some failed, and the others are there; 2: usage."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="two minutes instead of ten")
    parser.add_argument("--keep", action="store_true", help="take the last run's workload")
    parser.add_argument("--output", type=Path, default=FOLDER.parent / "bench.json")
    parser.add_argument("--one", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if lacking := missing():
        print(f"The benchmarks need {', '.join(lacking)}: run `make bench`, which installs them.")
        return 2
    if options.one:
        figures = module(options.names[0]).run(options.quick)
        options.one.write_text(json.dumps(figures))
        return 0
    names = options.names or BENCHMARKS
    if not options.keep:
        shutil.rmtree(FOLDER / ("quick" if options.quick else "full"), ignore_errors=True)
    results = run(names, options.output, quick=options.quick)
    text = report.render(results, {name: module(name) for name in names})
    options.output.with_suffix(".md").write_text(text + "\n")
    print(text)
    return 1 if any("error" in each for each in results["benchmarks"].values()) else 0


def _apart(name: str, quick: bool, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "tests.benchmarks", name, "--one", str(file)]
        errors = Path(folder) / "errors"
        with errors.open("w") as told:
            process = subprocess.Popen(
                [*command, *["--quick"] * quick],
                cwd=machine.ROOT,
                stdout=subprocess.DEVNULL,
                stderr=told,
                start_new_session=True,
            )
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return {"error": f"stopped after {seconds:.0f} seconds"}
        finally:
            _end(process)
        if status != 0:
            return {"error": errors.read_text()[-4_000:] or f"ended with status {status}"}
        return {"figures": json.loads(file.read_text())}


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it started: a server of a benchmark that hangs must not outlive it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


if __name__ == "__main__":
    sys.exit(main())

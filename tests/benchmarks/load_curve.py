"""Load: latency against load of the local server, and what becomes of more than it can answer.

Closed loop: more and more clients, each searching again once it is answered. Open loop: searches
at random times, at shares of the most that the closed loop reached. The clients are another
process of the same machine, whose time the server's is not.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.contender import EAGER, PROJECT, Kind
from tests.benchmarks.figures import markdown, number
from tests.benchmarks.machine import ROOT
from tests.benchmarks.report import Row
from tests.benchmarks.workload import prepared

# Many requests at a time make use of all cores by themselves, so torch gets a thread for each:
# more would only make it slower.
KINDS = (Kind(PROJECT, "project", 0), Kind(EAGER, "torch", 1))
CLIENTS = (1, 2, 4, 8, 16, 32)
SHARES = (0.5, 0.8, 1.0, 1.5, 3.0)
WANTED = "at saturation 503 and Retry-After, the wait stays below 3 s"


def run(quick: bool) -> dict[str, Any]:
    """Both servers, one after the other."""
    folder = prepared(quick)
    if quick:
        return measure(folder, KINDS, (1, 4, 32), (0.5, 3.0), seconds=3.0)
    return measure(folder, KINDS, CLIENTS, SHARES, seconds=8.0)


def measure(
    folder: Path,
    kinds: Sequence[Kind],
    clients: Sequence[int],
    shares: Sequence[float],
    seconds: float,
) -> dict[str, Any]:
    """For each server, a line for each load."""
    return {
        "seconds": seconds,
        "servers": {kind.name: _curve(kind, folder, clients, shares, seconds) for kind in kinds},
    }


def rows(figures: dict[str, Any]) -> list[Row]:
    """The most that is answered, and how long the slowest wait when more is asked."""
    project, eager = (figures["servers"][name] for name in (PROJECT, EAGER))
    most = [max(line["per_second"] for line in lines) for lines in (project, eager)]
    return [
        Row(
            "local server: searches a second",
            number(most[0]),
            number(most[1]),
            "",
            f"{number(most[0] / most[1])}x" if most[1] else "",
            "",
        ),
        Row("p99 under most load, s", _overload(project), _overload(eager), "", "", WANTED),
    ]


def table(figures: dict[str, Any]) -> str:
    """The curves."""
    lines = [
        (
            f"{name}, {line['load']}",
            number(line["per_second"]),
            *(number(line[p]) for p in ("p50", "p95", "p99")),
            f"{line['refused']:.0%}",
            f"{line['failed']}",
            f"{line['answered']}",
        )
        for name, curve in figures["servers"].items()
        for line in curve
    ]
    header = ("", "answers/s", "p50 s", "p95 s", "p99 s", "503", "failed", "answers")
    return (
        f"{markdown(header, lines)}\n\n{number(figures['seconds'])} s a load; latency of what was "
        f"answered; who is refused comes back when told to. Wanted: {WANTED}."
    )


def _overload(lines: Sequence[dict[str, Any]]) -> str:
    """Of the open loop's greatest load."""
    last = lines[-1]
    return f"{number(last['p99'])}, {last['refused']:.0%} refused"


def _curve(
    kind: Kind, folder: Path, clients: Sequence[int], shares: Sequence[float], seconds: float
) -> list[dict[str, Any]]:
    with _server(kind, folder) as port:
        _heard(port, folder, 1.0, "closed", 1)  # warm
        lines = [
            _line(f"{count} clients", _heard(port, folder, seconds, "closed", count))
            for count in clients
        ]
        most = max(line["per_second"] for line in lines)
        for share in shares:
            heard = _heard(port, folder, seconds, "open", max(share * most, 0.2))
            lines.append(_line(f"{share:.0%} of its most", heard))
    return lines


def _line(load: str, heard: dict[str, Any]) -> dict[str, Any]:
    seconds = sorted(heard["seconds"])
    asked = len(seconds) + heard["refused"] + heard["failed"]
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else []
    p50, p95, p99 = (cuts[p - 1] if cuts else sum(seconds) for p in (50, 95, 99))
    return {
        "load": load,
        "answered": len(seconds),
        "per_second": len(seconds) / heard["elapsed"],
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "refused": heard["refused"] / max(asked, 1),
        "failed": heard["failed"],
    }


@contextmanager
def _server(kind: Kind, folder: Path) -> Iterator[int]:
    """A server in a process of its own; its port."""
    process = subprocess.Popen(
        kind.command(folder, "--serve"),
        env=kind.variables(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{kind.name} ended with status {process.wait()}")
        yield int(json.loads(line)["port"])
    finally:
        process.kill()
        process.communicate()


def _heard(port: int, folder: Path, seconds: float, loop: str, amount: float) -> dict[str, Any]:
    program = [sys.executable, "-m", "tests.benchmarks.clients"]
    done = subprocess.run(
        [*program, str(port), str(folder), str(seconds), loop, str(amount)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    heard: dict[str, Any] = json.loads(done.stdout)
    return heard

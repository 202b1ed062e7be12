"""Watched: cases by their numbers, played in a process of their own, so that a crash, a hang and
the memory of each are seen.

`python -m tests.fuzz.watched KIND FIRST COUNT SECONDS` is that process: it says each number before
it plays it, and then how it ended.
"""

from __future__ import annotations

import contextlib
import importlib
import resource
import signal
import subprocess
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field

CPU_SECONDS = 5.0  # a case that takes more hangs
_SILENT_SECONDS = 600.0  # on a machine that hardly runs at all
# What decoding one photo may take at most, and this process without one.
MOST_BYTES = 3 * 2**29 + 2**29


@dataclass
class Outcome:
    """How many cases ended how; those that failed, by number; the most memory, in bytes."""

    ends: Counter[str] = field(default_factory=Counter)
    failed: dict[int, str] = field(default_factory=dict)
    peak: int = 0


def watch(kind: str, first: int, count: int, cpu_seconds: float = CPU_SECONDS) -> Outcome:
    """Play the cases of these numbers; one that ends its process costs itself alone."""
    outcome = Outcome()
    last = first + count
    while first < last:
        command = [kind, str(first), str(last - first), str(cpu_seconds)]
        first = _run(command, first, last, outcome)
    return outcome


def _run(case: list[str], first: int, last: int, outcome: Outcome) -> int:
    """One process; the number that the next one is to go on with."""
    command = [sys.executable, "-m", "tests.fuzz.watched", *case]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        playing = first
        for line in process.stdout:
            name, _, said = line.rstrip("\n").partition(" ")
            if name == "playing":
                playing = int(said)
            elif name == "ended":
                outcome.ends[said] += 1
            elif name == "failed":
                outcome.failed[playing] = said
            elif name == "peak":
                outcome.peak = max(outcome.peak, int(said))
        status = process.wait()
    if status == 0:
        return last
    hung = status in (-signal.SIGPROF, -signal.SIGALRM)
    outcome.failed[playing] = "it hangs" if hung else f"the process ended with status {status}"
    return playing + 1


def _play(kind: str, first: int, count: int, cpu_seconds: float) -> None:
    play = importlib.import_module(f"tests.fuzz.{kind}").play
    with contextlib.suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    for number in range(first, first + count):
        print(f"playing {number}", flush=True)
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        signal.setitimer(signal.ITIMER_REAL, _SILENT_SECONDS)
        try:
            print(f"ended {play(number)}")
        except BaseException:
            print("failed", " | ".join(traceback.format_exc().splitlines()[-3:]))
    print(f"peak {_peak()}")


def _peak() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    _play(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))

"""Act out histories of a gallery, each by its number: python -m tests.histories --count 10000

A number always gives the same history. What fails is printed with the command that acts it out
again; `--tell` says each of its steps.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing import get_context

from tests.histories.interrupting_storage import Interruption, Step
from tests.histories.seeded import say_nothing, trouble_of

_PROGRESS_SECONDS = 10.0


def main() -> int:
    """1 where a history failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many histories")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first")
    parser.add_argument("--processes", type=int, default=1, help="how many play side by side")
    parser.add_argument("--tell", action="store_true", help="say each step before it is taken")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.count)
    failed: list[int] = []
    began = told = time.monotonic()
    played: Iterator[tuple[int, str]]
    with ExitStack() as stack:
        if given.processes > 1:
            # Not forked: the libraries here have threads.
            pool = stack.enter_context(get_context("spawn").Pool(given.processes))
            played = pool.imap_unordered(trouble_of, seeds)
        else:
            played = (trouble_of(seed, _tell if given.tell else say_nothing) for seed in seeds)
        for done, (seed, trouble) in enumerate(played, 1):
            if trouble:
                failed.append(seed)
                print(f"{trouble}failed: python -m tests.histories --count 1 --tell --seed {seed}")
            if time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                print(f"{done} of {given.count}, {len(failed)} failed", flush=True)
    minutes = (time.monotonic() - began) / 60
    last = given.seed + given.count - 1
    print(
        f"{given.count} histories, seeds {given.seed} to {last}, in {minutes:.1f} minutes: "
        f"{len(failed)} failed {sorted(failed) or ''}"
    )
    return 1 if failed else 0


def _tell(step: Step, plan: list[Interruption]) -> None:
    print(f"{step.name} {step.choice}", *(f"\n    {each}" for each in plan), flush=True)


if __name__ == "__main__":
    sys.exit(main())

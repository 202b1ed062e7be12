"""Fuzz what reads photos, artifacts and requests: python -m tests.fuzz --count 20000 --seed 0

A number always gives the same file. What fails is printed with the command that plays it again.
`requests` needs schemathesis, which `make fuzz` installs; COUNT is then for each operation.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.fuzz.requests import SCHEMATHESIS, ask
from tests.fuzz.watched import watch

KINDS = ("photos", "artifacts", "requests")


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--count", type=int, default=500, help="how many of each kind")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first")
    given = parser.parse_args(arguments)
    if unknown := [kind for kind in given.kinds if kind not in KINDS]:
        parser.error(f"there is no kind {unknown[0]}: there are {', '.join(KINDS)}")
    failed = 0
    for kind in given.kinds or KINDS[:2]:
        failed += _requests(given) if kind == "requests" else _files(kind, given)
    return 1 if failed else 0


def _files(kind: str, given: argparse.Namespace) -> int:
    began = time.monotonic()
    outcome = watch(kind, given.seed, given.count)
    for number, reason in outcome.failed.items():
        print(f"failed: python -m tests.fuzz {kind} --count 1 --seed {number}\n    {reason}")
    print(
        f"{given.count} {kind}, seeds {given.seed} to {given.seed + given.count - 1}, in "
        f"{(time.monotonic() - began) / 60:.1f} minutes: {len(outcome.failed)} failed; "
        f"at most {outcome.peak / 1e6:.0f} MB; "
        + ", ".join(f"{many} {end}" for end, many in outcome.ends.most_common())
    )
    return len(outcome.failed)


def _requests(given: argparse.Namespace) -> int:
    if not SCHEMATHESIS.exists():
        print("the requests are left out: schemathesis is not installed (`make fuzz` does it)")
        return 0
    asked = ask(given.seed, given.count)
    if asked.failures:
        print(asked.report)
    print(f"{asked.sent} requests, seed {given.seed}: {len(asked.failures)} failed")
    return len(asked.failures)


if __name__ == "__main__":
    sys.exit(main())

"""Compare two recipes, each run with several seeds, query by query.

    python sagemaker_training/compare.py --ours runs/laptop-* --theirs runs/seed-*

For each protocol it prints the mean Recall@1 of both recipes with the standard deviation over the
seeds, then the difference with its 95 % interval from a paired bootstrap over the queries.
`--write-record FILE` also stores the runs in one compact file; `--record FILE` prints the same
again from that file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lens.errors import LensError, UsageError
from training.delivery.runs import Run, read_record, read_run, write_record

_SAMPLES = 10_000


@dataclass(frozen=True)
class Comparison:
    """Recall@1 of two groups of runs under one protocol, as fractions."""

    protocol: str
    queries: int
    ours: tuple[float, ...]  # by run
    theirs: tuple[float, ...]  # by run
    interval: tuple[float, float]  # 95 % interval of the difference of the means

    @property
    def difference(self) -> float:
        """Our mean minus theirs."""
        return float(np.mean(self.ours) - np.mean(self.theirs))


def compare(ours: Sequence[Run], theirs: Sequence[Run], protocol: str) -> Comparison:
    """Compare two groups of runs over the same queries; UsageError if the queries differ.

    Each query's result is averaged over the seeds of its group. The bootstrap draws queries with
    replacement and keeps the two groups' results of a query together (Efron & Tibshirani 1993,
    chapter 8).
    """
    right = [_right(run, protocol) for run in (*ours, *theirs)]
    keys = sorted(right[0])
    if any(sorted(each) != keys for each in right):
        raise UsageError(f"the runs did not answer the same {protocol} queries")
    table = np.array([[each[key] for key in keys] for each in right])
    gains = table[: len(ours)].mean(axis=0) - table[len(ours) :].mean(axis=0)
    low, high = bootstrap_interval(gains)
    shares = tuple(float(value) for value in table.mean(axis=1))
    return Comparison(protocol, len(keys), shares[: len(ours)], shares[len(ours) :], (low, high))


def bootstrap_interval(gains: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean of (Q,) gains, one for each query."""
    random = np.random.default_rng(seed)
    means = [gains[random.integers(0, len(gains), len(gains))].mean() for _ in range(_SAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _right(run: Run, protocol: str) -> dict[str, float]:
    """Return by query 1 if its first hit is right, else 0."""
    if protocol not in run.scores:
        raise UsageError(f"the run of {run.name} has no {protocol} scores")
    return {each.key: float(each.first_right == 1) for each in run.scores[protocol].answers}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ours", nargs="+", metavar="RUN")
    parser.add_argument("--theirs", nargs="+", metavar="RUN")
    parser.add_argument("--record", type=Path, metavar="FILE", help="read the runs of both from it")
    parser.add_argument("--write-record", type=Path, metavar="FILE", help="store the runs in it")
    options = parser.parse_args(arguments)
    try:
        ours, theirs = _groups(options)
        if options.write_record:
            write_record(options.write_record, {"ours": ours, "theirs": theirs})
        for protocol in ours[0].scores:
            found = compare(ours, theirs, protocol)
            print(f"{protocol}, {found.queries} queries, Recall@1 in percent")
            for name, shares in (("ours", found.ours), ("theirs", found.theirs)):
                print(f"  {name:<7}{_spread(shares)}")
            low, high = (100 * value for value in found.interval)
            print(f"  ahead  {100 * found.difference:+.1f}, 95 % from {low:+.1f} to {high:+.1f}")
    except LensError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _groups(options: argparse.Namespace) -> tuple[list[Run], list[Run]]:
    """Read our runs and theirs, from a record or from the folders of the runs."""
    places = (options.ours, options.theirs)
    if options.record and not any(places):
        groups = read_record(options.record)
        if groups.keys() != {"ours", "theirs"} or not all(groups.values()):
            raise UsageError(f"{options.record} is not a record of ours and theirs")
        return groups["ours"], groups["theirs"]
    if options.record or not all(places):
        raise UsageError("name the runs by --ours and --theirs, or by --record alone")
    ours, theirs = ([read_run(place) for place in group] for group in places)
    return ours, theirs


def _spread(shares: tuple[float, ...]) -> str:
    each = ", ".join(f"{100 * share:.1f}" for share in shares)
    deviation = 100 * float(np.std(shares, ddof=1)) if len(shares) > 1 else 0.0
    return f"{100 * float(np.mean(shares)):.1f} ± {deviation:.1f} ({each})"


if __name__ == "__main__":
    sys.exit(main())
